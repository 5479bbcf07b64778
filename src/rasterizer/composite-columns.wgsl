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

// opacity·falloff of one Gaussian at every row of a column, `d` being the column's top pixel minus the mean.
//
// Along a column the exponent is a parabola, constant + r·(linear + r·square), so each value is its neighbour's times a
// ratio, and each ratio the one before times exp(2·square): two products in place of an exponential. Every eight rows
// start anew from an exponential at their middle. The image-space covariance is at least covarianceDilation, so where
// any of the eight is above 1/255 the middle one is above exp(−57): it has not left float32. Ratios are held below
// exp(80), which only acts where all that follow are far below the cut-off, and keeps 0·∞ out.
fn opacitiesAlong(conic: vec3f, d: vec2f, opacity: f32) -> Column {
  let constant = -0.5 * (conic.x * d.x * d.x + conic.z * d.y * d.y) - conic.y * d.x * d.y;
  let linear = -conic.z * d.y - conic.y * d.x;
  let square = -0.5 * conic.z;
  let ratioOfRatios = exp(2.0 * square);
  var opacities: Column;
  for (var middle = 3u; middle < tileHeight; middle += 8u) {
    let row = f32(middle);
    opacities[middle] = opacity * exp(constant + row * (linear + row * square));
    var ratio = exp(min(80.0, linear + (2.0 * row + 1.0) * square));
    for (var k = 1u; k < 5u; k++) {
      opacities[middle + k] = opacities[middle + k - 1u] * ratio;
      ratio *= ratioOfRatios;
    }
    ratio = exp(min(80.0, -linear - (2.0 * row - 1.0) * square));
    for (var k = 1u; k < 4u; k++) {
      opacities[middle - k] = opacities[middle - k + 1u] * ratio;
      ratio *= ratioOfRatios;
    }
  }
  return opacities;
}
