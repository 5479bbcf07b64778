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

// What a lane prepares of the Gaussian it fetches, before all take it in turn.
struct Fetched {
  // mean2d, opacity, and exp(−conic.yy).
  place: vec4f,
  conic: vec3f,
  color: vec3f,
}

// A lane past the list's end holds a Gaussian without opacity, which changes nothing.
fn prepared(place: vec4f, conic: vec3f, color: vec3f, isInList: bool) -> Fetched {
  return Fetched(vec4f(place.xy, select(0.0, place.z, isInList), exp(-conic.z)), conic, color);
}

fn takenFromLane(fetched: Fetched, lane: u32) -> Fetched {
  return Fetched(
    subgroupShuffle(fetched.place, lane),
    subgroupShuffle(fetched.conic, lane),
    subgroupShuffle(fetched.color, lane),
  );
}

// Share of its light that a pixel gives to a Gaussian; 0 when skipped.
fn weightOf(opacity: f32, transmittance: f32) -> f32 {
  let alpha = min(alphaMax, opacity);
  return select(0.0, alpha * transmittance, alpha >= alphaMin && transmittance >= transmittanceMin);
}

// opacity·falloff of one Gaussian at every row of a column, `d` being the column's top pixel minus the mean.
//
// Along a column the exponent is a parabola, constant + r·(linear + r·square), so each value is its neighbour's times a
// ratio, and each ratio the one before times q = exp(2·square) = exp(−conic.yy): two products in place of an
// exponential. Every eight rows start anew from an exponential at their middle.
//
// Range: the image-space covariance is at least covarianceDilation, so conic.yy ≤ 1/0.3. Where any of eight rows is above
// 1/255, their middle is then above exp(−57), and the ratio at row 3 lies within exp(±80): holding it there only acts on
// columns that the Gaussian does not reach, where too small a ratio does no harm and 0·∞ would.
fn opacitiesAlong(gaussian: Fetched, d: vec2f) -> Column {
  let conic = gaussian.conic;
  let q = gaussian.place.w;
  let constant = -0.5 * (conic.x * d.x * d.x + conic.z * d.y * d.y) - conic.y * d.x * d.y;
  let linear = -conic.z * d.y - conic.y * d.x;
  let square = -0.5 * conic.z;
  var middleRatio = exp(clamp(linear + 7.0 * square, -80.0, 80.0));
  var opacities: Column;
  for (var middle = 3u; middle < tileHeight; middle += 8u) {
    let row = f32(middle);
    opacities[middle] = gaussian.place.z * exp(constant + row * (linear + row * square));
    var ratio = middleRatio;
    for (var k = 1u; k < 5u; k++) {
      opacities[middle + k] = opacities[middle + k - 1u] * ratio;
      ratio *= q;
    }
    ratio = q / middleRatio;
    for (var k = 1u; k < 4u; k++) {
      opacities[middle - k] = opacities[middle - k + 1u] * ratio;
      ratio *= q;
    }
    let q2 = q * q;
    middleRatio = max(1e-35, middleRatio * (q2 * q2) * (q2 * q2));
  }
  return opacities;
}
