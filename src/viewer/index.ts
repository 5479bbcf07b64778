/** What a web page needs to show an avatar; bundles without anything that fits one. */
export { createGpu, type Gpu } from '../gpu/gpu.ts';
export { createKernel } from '../gpu/kernel.ts';
export { createStorageBuffer, readFloats } from '../gpu/buffer.ts';
export { Commands } from '../gpu/commands.ts';
export { decodeAvatar, type Avatar } from '../avatar/avatar.ts';
export { AvatarRenderer, toImage, type FloatImage, type RenderOptions } from './avatar-renderer.ts';
export { centredCamera, poseForView, type View } from './views.ts';
