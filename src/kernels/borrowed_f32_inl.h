// The functions in floats of a table that has only products of integers of its own: those of
// kFloats, the table that it builds on.
void gemm_f32(const GemmF32& g) {
  kFloats.gemm_f32(g);
}
void attention_f32(const Attention& t) {
  kFloats.attention_f32(t);
}
void layer_norm_f32(const LayerNormF32& n) {
  kFloats.layer_norm_f32(n);
}
void widen_f16(const void* from, float* to, std::size_t count) {
  kFloats.widen_f16(from, to, count);
}
