/** Places that need no coordinates: landmarks of MediaPipe's face mesh. `left` and `right` are the subject's. */
export const NAMED_PLACES: Readonly<Record<string, number>> = {
  forehead: 151,
  'left-temple': 251,
  'right-temple': 21,
  'left-cheek': 425,
  'right-cheek': 205,
  nose: 4,
  'upper-lip': 164,
  chin: 199,
};
