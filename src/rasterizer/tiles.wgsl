// Which tiles a projected Gaussian touches: the one predicate of every kernel that needs it.
//
// A pixel at distance d from the mean takes the Gaussian when opacity·exp(−½ dᵀ C d) ≥ alphaMin, that is when
// dᵀ C d ≤ extent = 2·ln(opacity / alphaMin). A tile is touched when the least dᵀ C d over the rectangle of its pixel
// centres is within the extent: exact, and aware of the opacity.

// First tile and the one past the last, in both directions, of the ellipse's bounding box.
struct TileRange {
  begin: vec2u,
  end: vec2u,
}

const tileSize = vec2f(f32(tileWidth), f32(tileHeight));
const tileCounts = vec2f(f32(tilesAcross), f32(tilesDown));
// Slack on the extent, so that rounding here never drops a pixel that the compositing kernels would take.
const extentSlack = 1.0001f;

// `halfSize` of the bounding box: sqrt(extent · diagonal of the covariance).
fn tileRangeOf(mean2d: vec2f, halfSize: vec2f) -> TileRange {
  // A tile has pixel centres from its corner + 0.5 to the next corner − 0.5.
  let low = ceil((mean2d - halfSize + 0.5) / tileSize) - 1.0;
  let high = floor((mean2d + halfSize - 0.5) / tileSize) + 1.0;
  let begin = vec2u(clamp(low, vec2f(0.0), tileCounts));
  return TileRange(begin, max(begin, vec2u(clamp(high, vec2f(0.0), tileCounts))));
}

fn touchesTile(mean2d: vec2f, conic: vec3f, extent: f32, tile: vec2u) -> bool {
  let low = vec2f(tile) * tileSize + 0.5 - mean2d;
  let high = low + tileSize - 1.0;
  // The rectangle's point nearest to the mean in each direction alone; 0 where the mean is inside.
  let nearest = clamp(vec2f(0.0), low, high);
  // Where the mean is outside, the least value lies on an edge that faces it: on that line, the least is at
  // y = −(xy/yy)·x, held to the edge.
  let onVertical = vec2f(nearest.x, clamp(-conic.y / conic.z * nearest.x, low.y, high.y));
  let onHorizontal = vec2f(clamp(-conic.y / conic.x * nearest.y, low.x, high.x), nearest.y);
  let outside = nearest != vec2f(0.0);
  let vertical = select(3.4e38, ellipseForm(conic, onVertical), outside.x);
  let horizontal = select(3.4e38, ellipseForm(conic, onHorizontal), outside.y);
  let least = select(min(vertical, horizontal), 0.0, !outside.x && !outside.y);
  return least <= extent * extentSlack;
}

fn ellipseForm(conic: vec3f, d: vec2f) -> f32 {
  return conic.x * d.x * d.x + 2.0 * conic.y * d.x * d.y + conic.z * d.y * d.y;
}
