export { VERSION } from './version.ts';

// Options: checked by the library, turned into flags by the command
export * from './options.ts';
export * from './command-options.ts';

// Baking
export { BAKE_RUN_OPTIONS, type BakeCommandOptions } from './baking/bake-command-options.ts';

// Video
export type { Frame, Image, OnProgress, Progress } from './video/frame.ts';

// Editing
export { EDIT_ACTIONS, EDIT_LOOK, EDIT_OPTIONS, EDIT_PLACEMENT, type EditOptions } from './editing/edit-options.ts';
export { EditError, type Layer, type LayerKind } from './editing/layers.ts';
export { editAvatar, type EditedAvatar } from './editing/edited-avatar.ts';

// Animation
export { parseExpression } from './animation/expression-text.ts';

// GPU
export { DeviceLostError, NoAdapterError, type AdapterFacts, type Gpu } from './gpu/gpu.ts';

// Evaluation
export { collectMetrics, type FrameScores, type Metrics } from './evaluation/metrics-file.ts';
export { compositeOnWhite, meanScores, scoreFrame, type Scores } from './evaluation/score-frames.ts';
export { splitFrames, type FrameSplit, type SplitRule } from './evaluation/split-frames.ts';

// Report
export { lossPlot, type Curve } from './report/loss-plot.ts';
export { reportPage, type ReportContent } from './report/report-page.ts';
export {
  contactSheet,
  errorImage,
  expressionSheet,
  heldOutSheet,
  landmarkSheet,
  turntableSheet,
  type Cell,
  type HeldOutExample,
  type LandmarkExample,
  type SheetLayout,
} from './report/sheets.ts';
