// A Gaussian's slots, one per tile that it touches: [begin, end). Empty when they would pass the capacity: then the
// Gaussian is left out of this image, and `status` tells how many slots were needed.
fn slotsOf(gaussian: u32) -> vec2u {
  let begin = slotOffsets[gaussian];
  let end = slotOffsets[gaussian + 1u];
  return vec2u(begin, select(begin, end, end <= intersectionCapacity && begin <= end));
}
