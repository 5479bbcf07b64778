// One camera; written by packCamera (camera.ts).
struct Camera {
  // Rows of the 3×4 matrix that takes world metres to camera metres (x right, y down, z forward).
  row0: vec4f,
  row1: vec4f,
  row2: vec4f,
  // Pixels.
  focal: vec2f,
  principal: vec2f,
  size: vec2f,
  // Metres.
  near: f32,
  background: vec3f,
}
