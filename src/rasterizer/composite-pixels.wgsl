// Compositing for GPUs: what forward and backward share. A tile is one workgroup of 256 invocations, one per pixel;
// Gaussians come through workgroup memory. Works without subgroups, within 16 KiB of workgroup memory.

const pixelCount = tileWidth * tileHeight;

var<workgroup> anyLight: atomic<u32>;
var<workgroup> goesOn: bool;

// Bounds of the tile's list in `intersections`.
fn listOf(tile: u32) -> vec2u {
  return vec2u(select(counters[max(tile * chunkCount, 1u) - 1u], 0u, tile == 0u), counters[(tile + 1u) * chunkCount - 1u]);
}

fn pixelOf(tile: u32, local: u32) -> vec2u {
  return vec2u(tile % tilesAcross * tileWidth + local % tileWidth, tile / tilesAcross * tileHeight + local / tileWidth);
}

// True for all when any pixel of the tile still takes light. A barrier for the whole workgroup.
fn tileGoesOn(local: u32, transmittance: f32) -> bool {
  if (local == 0u) {
    atomicStore(&anyLight, 0u);
  }
  workgroupBarrier();
  if (transmittance >= transmittanceMin) {
    atomicStore(&anyLight, 1u);
  }
  workgroupBarrier();
  if (local == 0u) {
    goesOn = atomicLoad(&anyLight) == 1u;
  }
  return workgroupUniformLoad(&goesOn);
}

// opacity·falloff at `d` from the mean.
fn opacityAt(conic: vec3f, d: vec2f, opacity: f32) -> f32 {
  return opacity * exp(-0.5 * (conic.x * d.x * d.x + conic.z * d.y * d.y) - conic.y * d.x * d.y);
}
