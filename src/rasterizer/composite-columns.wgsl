// Compositing for drivers that run on the processor: what forward and backward share.
//
// A tile is one workgroup of eight invocations, which such a driver runs as the eight lanes of one vector register.
// Each invocation owns a column of `tileHeight` pixels, so a Gaussian's data are loaded once for many pixels, and no
// barrier is needed: barriers are what costs on a processor.

// Pixel state per row of a column.
alias Column = array<f32, tileHeight>;

// Bounds of the tile's list in `intersections`.
fn listOf(tile: u32) -> vec2u {
  return vec2u(select(counters[max(tile * chunkCount, 1u) - 1u], 0u, tile == 0u), counters[(tile + 1u) * chunkCount - 1u]);
}

fn tileOrigin(tile: u32) -> vec2u {
  return vec2u(tile % tilesAcross * tileWidth, tile / tilesAcross * tileHeight);
}

// Pixels beyond the image's edge start without light, which keeps them out of everything.
fn startTransmittance(column: u32, row: u32) -> f32 {
  return select(0.0, 1.0, column < imageWidth && row < imageHeight);
}

// One Gaussian along one column: opacity·falloff at row r is the exponential of a parabola in r.
struct Parabola {
  // exponent = constant + r·(linear + r·square)
  constant: f32,
  linear: f32,
  square: f32,
}

fn parabolaOf(conic: vec3f, d: vec2f) -> Parabola {
  return Parabola(
    -0.5 * (conic.x * d.x * d.x + conic.z * d.y * d.y) - conic.y * d.x * d.y,
    -conic.z * d.y - conic.y * d.x,
    -0.5 * conic.z,
  );
}
