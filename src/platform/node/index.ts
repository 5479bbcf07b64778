/** What the package offers in Node beside `fate-avatar`: devices, folders, files and the command's functions. */
export { DiskFullError, fileDigest, writeFileAtomically } from './atomic-file.ts';
export { examineMachine, type AdapterReport, type MachineReport, type ModelReport, type HeadReport } from './doctor.ts';
export { createNodeGpu } from './node-gpu.ts';
export { createNodeNetworkRuntime, type NodeNetworkRuntimeOptions } from './network-runtime.ts';
export { RunFolder, RunFolderError, RUN_STAGES, type RunStage, type RunVideo, type StageRecord } from './run-folder.ts';
export { dataUrl, decodeImage, encodeJpeg, encodePng } from './image-file.ts';
export { createVideoWriter, type VideoWriter, type VideoWriterOptions } from './video-writer.ts';
export { writeReport, writeVideo, type ReportData } from './report-files.ts';
export { openHead } from './open-head.ts';
export { examineModels, modelsFolder, type ModelFileReport } from './optional-files.ts';
export { createAvatar, evaluateAvatar, fitAvatar, trackVideo } from './runs/create-run.ts';
export { createDemoVideo, measureDemoTrack } from './runs/demo-run.ts';
export { editAvatarRun, type EditResult } from './runs/edit-run.ts';
export { exportAvatar, renderAvatar } from './runs/output-runs.ts';
export { bakeRun, type BakeFacts } from './runs/bake-run.ts';
export { evaluateBaked } from './runs/evaluate-baked-run.ts';
export type { BakedMetrics } from './runs/baked-report.ts';
export type { RunContext } from './runs/context.ts';
