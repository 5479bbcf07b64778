/** The public surface, in the method's order. Kernels are WebGPU; whatever touches files is in `fate-avatar/node`. */
export { VERSION } from './version.ts';

// Options: checked by the library, turned into flags by the command
export * from './options.ts';
export * from './command-options.ts';

// GPU
export { createGpu, type Gpu, type AdapterFacts, DeviceLostError, NoAdapterError } from './gpu/gpu.ts';
export { Commands, Profiler } from './gpu/commands.ts';
export { createKernel, type Kernel, type KernelOptions, ShaderError } from './gpu/kernel.ts';
export { createStorageBuffer, writeBuffer, readFloats } from './gpu/buffer.ts';
export { createScan, type Scan } from './gpu/scan.ts';
export { createSort, type Sort } from './gpu/sort.ts';

// Video
export { openVideo, type VideoSource, type VideoInfo, type VideoInput } from './video/open-video.ts';
export { type VideoPlatform } from './video/video-platform.ts';
export { UnsupportedVideoError } from './video/errors.ts';
export { type Frame, type Image, type OnProgress, type Progress } from './video/frame.ts';

// Head
export {
  type HeadModel,
  type Joint,
  type JointName,
  JOINT_NAMES,
  type LandmarkEmbedding,
  type RegionName,
  type SparseRow,
  ARKIT_EXPRESSION_NAMES,
  HeadModelError,
} from './head/head-model.ts';
export { type HeadPose, neutralPose, packPose, unpackPose } from './head/pose.ts';
export { poseVertices } from './head/pose-vertices.ts';
export { createBuiltinHead } from './head/builtin/builtin-head.ts';
export { createIctHead, type IctHeadOptions } from './head/ict/ict-head.ts';
export { createDeformation, type Deformation, type DeformationOptions } from './head/deformation/deformation.ts';

// Tracking
export { observeVideo } from './tracking/observe-video.ts';
export { type ClipObservation, NoFaceFoundError } from './tracking/observation.ts';
export { solveTrack, NoUsableFaceError } from './tracking/solve-track.ts';
export { SOLVE_TRACK_DEFAULTS, type SolveTrackOptions } from './tracking/solve-track-options.ts';
export { type Camera, type Track, type TrackFrame } from './tracking/track.ts';
export { parseTrack, serializeTrack, TrackFileError } from './tracking/track-json.ts';
export { type FaceModels, type ModelFiles, loadFaceModels } from './inference/face-models.ts';
export { type Inference } from './inference/model.ts';

// Matting
export { createMatting, type Matting, type Matte } from './matting/matting.ts';

// Gaussians, bound to the head
export {
  type GaussianSet,
  type LocalGaussians,
  type WorldGaussians,
  SH_C0,
  NORMAL_OFFSET_LIMIT,
} from './gaussians/layout.ts';
export { createPlacement, type Placement, type PlacementOptions } from './binding/placement.ts';
export { sampleAtlas, type SampleAtlasOptions, type SurfaceSamples } from './binding/sampling.ts';

// Rasteriser
export {
  createRasterizer,
  type Rasterizer,
  type RasterizerOptions,
  type RasterizerInput,
  type RasterizerBackwardInput,
} from './rasterizer/rasterizer.ts';
export { type RasterizerVariant } from './rasterizer/layout.ts';
export { packCamera, IDENTITY_VIEW } from './rasterizer/camera.ts';

// Avatar
export { type Avatar, encodeAvatar, decodeAvatar } from './avatar/avatar.ts';
export { AvatarRenderer, type RenderOptions, type FloatImage } from './viewer/avatar-renderer.ts';
export { encodePly, type WorldGaussianArrays } from './export/ply.ts';

// Losses
export { LossHistory, type LossRecord } from './losses/loss-history.ts';
export { psnr, ssim, type MetricImage } from './losses/metrics.ts';
export {
  createPhotometricLoss,
  type PhotometricLoss,
  type PhotometricOptions,
  type PhotometricStep,
} from './losses/photometric/photometric.ts';
export { readPerceptualNet } from './losses/perceptual/read-net.ts';
export { readLpips } from './losses/perceptual/lpips.ts';
export { createPerceptualLoss, type PerceptualLoss } from './losses/perceptual/perceptual-loss.ts';
export { createImageDistance, type ImageDistance } from './losses/perceptual/image-distance.ts';
export { type PerceptualNet } from './losses/perceptual/perceptual-net.ts';

// Fitting
export { fitAvatar, type FitInputs, type FitContext, type FitResult } from './fitting/fit-avatar.ts';
export { type FitOptions, FIT_DEFAULTS } from './fitting/fit-options.ts';
export { type Clip, type ClipFrame } from './fitting/clip.ts';
export { fitPoses, type FitPosesOptions } from './fitting/fit-poses.ts';
export { createAdam, type Adam } from './fitting/adam.ts';

// Baking
export { bakeAvatar, type BakeInputs, type BakeResult, type BakeContext } from './baking/bake-avatar.ts';
export { type BakeOptions, BAKE_DEFAULTS, BAKE_GPU_DEFAULTS, type BakeVariant } from './baking/bake-options.ts';
export { BAKE_RUN_OPTIONS, type BakeCommandOptions } from './baking/bake-command-options.ts';
export {
  type AttributeMaps,
  type MapName,
  MAP_CHANNELS,
  type MappedAttributes,
  sampleMaps,
} from './baking/attribute-maps.ts';
export { type BakedAvatar, bakedGaussians } from './baking/baked-avatar.ts';
export { importColor, ImportError } from './baking/import-color.ts';
export { encodeMaps, decodeMaps } from './baking/maps-file.ts';
export { encodePackage, decodePackage } from './baking/package-file.ts';
export { resample, ResampleError } from './baking/level-of-detail.ts';
export { resampleMatched, type ResampleMatchedOptions } from './baking/resample-matched.ts';
export { MATCH_DEFAULTS, type MatchOptions } from './baking/match-options.ts';

// Editing
export { EDIT_ACTIONS, EDIT_LOOK, EDIT_OPTIONS, EDIT_PLACEMENT, type EditOptions } from './editing/edit-options.ts';
export { EditError, type Layer, type LayerKind } from './editing/layers.ts';
export { editAvatar, type EditedAvatar } from './editing/edited-avatar.ts';
export { flattenEdits } from './editing/flatten.ts';
export {
  type EditList,
  emptyEdits,
  addLayer,
  removeLayer,
  updateLayer,
  undo,
  redo,
  encodeEdits,
  decodeEdits,
} from './editing/edit-list.ts';

// Animation
export { parseExpression } from './animation/expression-text.ts';

// Synthetic subjects
export { renderSyntheticSubject, type SyntheticOptions, SYNTHETIC_DEFAULTS } from './synthetic/synthetic-subject.ts';

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

// Networks: a small differentiable graph run by ONNX Runtime
export * as network from './network/index.ts';
