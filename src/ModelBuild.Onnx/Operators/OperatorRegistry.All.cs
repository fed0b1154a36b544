using ModelBuild.Onnx.Operators;
using Range = ModelBuild.Onnx.Operators.Range;

namespace ModelBuild.Onnx;

public static partial class OperatorRegistry
{
    private static IEnumerable<Operator> All =>
    [
        // Arithmetic
        new Add(), new BitShift(), new Div(), new Max(), new Mean(), new Min(), new Mod(), new Mul(), new PRelu(), new Pow(), new Sub(), new Sum(),
        // Attention
        new Attention(), new LinearAttention(),
        // Comparison
        new Equal(), new Greater(), new GreaterOrEqual(), new Less(), new LessOrEqual(),
        // Control
        new If(), new Loop(), new Scan(),
        // Convolution
        new CausalConvWithState(), new Conv(), new ConvTranspose(), new DeformConv(),
        // Detection
        new NonMaxSuppression(), new RoiAlign(),
        // Elementwise
        new Abs(), new Acos(), new Acosh(), new Asin(), new Asinh(), new Atan(), new Atanh(), new Cast(), new CastLike(), new Ceil(), new Celu(),
        new Clip(), new Cos(), new Cosh(), new Dropout(), new Elu(), new Erf(), new Exp(), new Floor(), new Gelu(), new HardSigmoid(),
        new HardSwish(), new Identity(), new IsInf(), new IsNaN(), new LeakyRelu(), new Log(), new Mish(), new Neg(), new Reciprocal(), new Relu(),
        new Round(), new Selu(), new Shrink(), new Sigmoid(), new Sign(), new Sin(), new Sinh(), new Softplus(), new Softsign(), new Sqrt(),
        new SwiGLU(), new Swish(), new Tan(), new Tanh(), new ThresholdedRelu(),
        // Generation
        new BlackmanWindow(), new Constant(), new ConstantOfShape(), new EyeLike(), new HammingWindow(), new HannWindow(), new MelWeightMatrix(),
        new Range(),
        // Image
        new ImageDecoder(),
        // Logic
        new And(), new BitwiseAnd(), new BitwiseNot(), new BitwiseOr(), new BitwiseXor(), new Not(), new Or(), new Where(), new Xor(),
        // Loss
        new NegativeLogLikelihoodLoss(), new SoftmaxCrossEntropyLoss(),
        // MachineLearning
        new ArrayFeatureExtractor(), new Binarizer(), new CategoryMapper(), new FeatureVectorizer(), new Imputer(), new LinearClassifier(),
            new LinearRegressor(), new Normalizer(), new OneHotEncoder(),
        new SVMClassifier(), new SVMRegressor(), new LabelEncoder(), new Scaler(), new TreeEnsemble(), new TreeEnsembleClassifier(),
        new TreeEnsembleRegressor(),
        // Matrix
        new Det(), new Einsum(), new Gemm(), new MatMul(), new RotaryEmbedding(),
        // Microsoft
        new DynamicQuantizeLSTM(), new DynamicQuantizeGRU(), new QGemm(), new MatMulNBits(),
        // Normalization
        new BatchNormalization(), new GroupNormalization(), new InstanceNormalization(), new LRN(), new LayerNormalization(), new LpNormalization(),
        new MeanVarianceNormalization(), new RMSNormalization(),
        // Pooling
        new AveragePool(), new GlobalAveragePool(), new GlobalLpPool(), new GlobalMaxPool(), new LpPool(), new MaxPool(), new MaxUnpool(),
        // Quantization
        new ConvInteger(), new DequantizeLinear(), new DynamicQuantizeLinear(), new MatMulInteger(), new QLinearConv(), new QLinearMatMul(),
        new QuantizeLinear(),
        // Random
        new Bernoulli(), new Multinomial(), new RandomNormal(), new RandomNormalLike(), new RandomUniform(), new RandomUniformLike(),
        // Recurrent
        new Gru(), new Lstm(), new Rnn(),
        // Reduction
        new ArgMax(), new ArgMin(), new CumProd(), new CumSum(), new Hardmax(), new LogSoftmax(), new ReduceL1(), new ReduceL2(), new ReduceLogSum(),
        new ReduceLogSumExp(), new ReduceMax(), new ReduceMean(), new ReduceMin(), new ReduceProd(), new ReduceSum(), new ReduceSumSquare(),
        new Softmax(),
        // Resampling
        new AffineGrid(), new GridSample(), new Resize(), new Upsample(),
        // Sequences
        new ConcatFromSequence(), new Optional(), new OptionalGetElement(), new OptionalHasElement(), new SequenceAt(), new SequenceConstruct(),
        new SequenceEmpty(), new SequenceErase(), new SequenceInsert(), new SequenceLength(), new SequenceMap(), new SplitToSequence(),
        // Shaping
        new BitCast(), new CenterCropPad(), new Col2Im(), new Compress(), new Concat(), new DepthToSpace(), new Expand(), new Flatten(), new Gather(),
        new GatherElements(), new GatherND(), new NonZero(), new OneHot(), new Pad(), new Reshape(), new ReverseSequence(), new Scatter(),
        new ScatterElements(), new ScatterND(), new Shape(), new Size(), new Slice(), new SpaceToDepth(), new Split(), new Squeeze(),
        new TensorScatter(), new Tile(), new TopK(), new Transpose(), new Trilu(), new Unique(), new Unsqueeze(),
        // Signal
        new DFT(), new STFT(),
        // Text
        new RegexFullMatch(), new StringConcat(), new StringNormalizer(), new StringSplit(), new TfIdfVectorizer(),
        // Training
        new Adagrad(), new Adam(), new Momentum(),
    ];
}
