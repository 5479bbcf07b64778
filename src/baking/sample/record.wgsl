// What a Gaussian read from the maps: 12 floats, the 11 channels in the order of MAP_CHANNELS and one unused.
//   a = logScale xyz, rotation x;  b = rotation yz, red, green;  c = blue, opacityLogit, normalOffset, 0

struct MapSample {
  a: vec4f,
  b: vec4f,
  c: vec4f,
}

const SH_C0 = 0.28209479177387814;
