// A triangle's frame (method.md §1): columns tangent = unit edge v0→v1, unit normal, tangent × normal; right-handed. Its
// size is the mean of the edge's length and of the height over it. Shared by placement, its backward and the canonical
// sizes; the same as placement.reference.ts.

struct TriangleFrame {
  tangent: vec3f,
  normal: vec3f,
  bitangent: vec3f,
  edge: vec3f, // v1 − v0
  side: vec3f, // v2 − v0
  edgeLength: f32,
  doubleArea: f32,
  size: f32,
  isDegenerate: bool, // then the frame is the axes and nothing flows back through it
}

// Metres. World vertices lie about 1 m from the origin, where float32 steps are 1e-7: shorter edges are noise.
const SMALLEST_EDGE = 1.0e-6;

fn triangleFrame(v0: vec3f, v1: vec3f, v2: vec3f) -> TriangleFrame {
  var frame: TriangleFrame;
  frame.edge = v1 - v0;
  frame.side = v2 - v0;
  let product = cross(frame.edge, frame.side);
  frame.edgeLength = length(frame.edge);
  frame.doubleArea = length(product);
  let height = frame.doubleArea / max(frame.edgeLength, SMALLEST_EDGE);
  frame.size = max(0.5 * (frame.edgeLength + height), SMALLEST_EDGE);
  frame.isDegenerate = frame.edgeLength < SMALLEST_EDGE || height < SMALLEST_EDGE;
  if (frame.isDegenerate) {
    frame.tangent = vec3f(1.0, 0.0, 0.0);
    frame.normal = vec3f(0.0, 1.0, 0.0);
  } else {
    frame.tangent = frame.edge / frame.edgeLength;
    frame.normal = product / frame.doubleArea;
  }
  frame.bitangent = cross(frame.tangent, frame.normal);
  return frame;
}
