// Draws lit triangle meshes (`shade`) and what surface lies under each pixel (`surface`).
//
// One vertex per triangle corner: nothing is shared, so normals, texture coordinates and colours may break at any edge.
// Colours arrive sRGB-encoded, are lit in linear light and leave sRGB-encoded. Camera space has OpenCV axes (y down).

struct View {
  cameraFromWorldX: vec4f, // rows of cameraFromWorld
  cameraFromWorldY: vec4f,
  cameraFromWorldZ: vec4f,
  focal: vec2f,            // pixels
  principal: vec2f,        // pixels
  size: vec2f,             // pixels
  near: f32,               // metres
  far: f32,                // metres
  keyDirection: vec4f,     // towards the light, camera space; w = diffuse wrap
  keyColor: vec4f,         // linear RGB
  fillDirection: vec4f,
  fillColor: vec4f,
  upDirection: vec4f,      // camera space
  skyColor: vec4f,         // ambient from above, linear RGB
  groundColor: vec4f,      // ambient from below
}

struct Part {
  hasAlbedo: f32,
  shininess: f32,
  alphaCutoff: f32,
  unused: f32,
}

@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var<uniform> part: Part;
@group(1) @binding(1) var albedoTexture: texture_2d<f32>;
@group(1) @binding(2) var albedoSampler: sampler;

struct Corner {
  @builtin(position) clip: vec4f,
  @location(0) positionCamera: vec3f,
  @location(1) normalCamera: vec3f,
  @location(2) uv: vec2f,
  @location(3) color: vec3f,
  @location(4) gloss: f32,
  @location(5) @interpolate(flat) triangleIndex: f32,
}

@vertex
fn project(
  @location(0) position: vec3f,
  @location(1) normal: vec3f,
  @location(2) uv: vec2f,
  @location(3) color: vec3f,
  @location(4) gloss: f32,
  @builtin(vertex_index) cornerIndex: u32,
) -> Corner {
  let point = vec4f(position, 1.0);
  let camera = vec3f(
    dot(view.cameraFromWorldX, point),
    dot(view.cameraFromWorldY, point),
    dot(view.cameraFromWorldZ, point),
  );
  // Pixel coordinates times depth, so that the hardware's division by w does the perspective.
  let pixel = view.focal * camera.xy + view.principal * camera.z;
  let depth = view.far * (camera.z - view.near) / (view.far - view.near);
  var corner: Corner;
  corner.clip = vec4f(
    2.0 * pixel.x / view.size.x - camera.z,
    camera.z - 2.0 * pixel.y / view.size.y,
    depth,
    camera.z,
  );
  corner.positionCamera = camera;
  corner.normalCamera = vec3f(
    dot(view.cameraFromWorldX.xyz, normal),
    dot(view.cameraFromWorldY.xyz, normal),
    dot(view.cameraFromWorldZ.xyz, normal),
  );
  corner.uv = uv;
  corner.color = color;
  corner.gloss = gloss;
  corner.triangleIndex = f32(cornerIndex / 3u);
  return corner;
}

fn linearFromEncoded(color: vec3f) -> vec3f {
  return select(pow((color + 0.055) / 1.055, vec3f(2.4)), color / 12.92, color <= vec3f(0.04045));
}

fn encodedFromLinear(color: vec3f) -> vec3f {
  let bounded = clamp(color, vec3f(0.0), vec3f(1.0));
  return select(1.055 * pow(bounded, vec3f(1.0 / 2.4)) - 0.055, bounded * 12.92, bounded <= vec3f(0.0031308));
}

// Diffuse with `wrap` past the terminator (light that skin lets through), plus a Blinn highlight.
fn lit(albedo: vec3f, gloss: f32, normal: vec3f, towardsEye: vec3f, direction: vec3f, light: vec3f, wrap: f32) -> vec3f {
  let cosine = dot(normal, direction);
  let diffuse = max(0.0, (cosine + wrap) / (1.0 + wrap));
  let halfway = normalize(direction + towardsEye);
  let highlight = gloss * pow(max(0.0, dot(normal, halfway)), part.shininess) * max(0.0, sign(cosine));
  return light * (albedo * diffuse + highlight);
}

// The texture is sampled before any branch: derivatives need uniform control flow.
fn baseColor(corner: Corner) -> vec4f {
  let texel = textureSample(albedoTexture, albedoSampler, corner.uv);
  return mix(vec4f(corner.color, 1.0), vec4f(corner.color, 1.0) * texel, part.hasAlbedo);
}

@fragment
fn shade(corner: Corner, @builtin(front_facing) isFront: bool) -> @location(0) vec4f {
  let base = baseColor(corner);
  if (base.a < part.alphaCutoff) {
    discard;
  }
  let facing = select(-1.0, 1.0, isFront);
  let normal = normalize(corner.normalCamera) * facing;
  let towardsEye = -normalize(corner.positionCamera);
  let albedo = linearFromEncoded(base.rgb);
  let upwards = 0.5 + 0.5 * dot(normal, view.upDirection.xyz);
  var color = albedo * mix(view.groundColor.rgb, view.skyColor.rgb, upwards);
  color += lit(albedo, corner.gloss, normal, towardsEye, view.keyDirection.xyz, view.keyColor.rgb, view.keyDirection.w);
  color += lit(albedo, corner.gloss, normal, towardsEye, view.fillDirection.xyz, view.fillColor.rgb, view.keyDirection.w);
  return vec4f(encodedFromLinear(color), 1.0);
}

// (triangle index + 1, u, v, depth in metres); 0 where nothing is. Indices are exact in float32 up to 16.7 million.
@fragment
fn surface(corner: Corner) -> @location(0) vec4f {
  if (baseColor(corner).a < part.alphaCutoff) {
    discard;
  }
  return vec4f(corner.triangleIndex + 1.0, corner.uv, corner.positionCamera.z);
}
