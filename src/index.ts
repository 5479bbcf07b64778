export { version as VERSION } from '../package.json';

// Options: checked by the library, turned into flags by the command
export * from './options.ts';
export * from './command-options.ts';

// Video
export type { Frame, Image, OnProgress, Progress } from './video/frame.ts';

// Animation
export { parseExpression } from './animation/expression-text.ts';

// GPU
export { DeviceLostError, NoAdapterError, type AdapterFacts, type Gpu } from './gpu/gpu.ts';
