/** What the library is handed in a web page: the page's video decoder, face networks by LiteRT, other networks by ONNX Runtime. */
export { createBrowserInference } from './browser-inference.ts';
export { createBrowserNetworkRuntime, type BrowserNetworkRuntimeOptions } from './browser-network.ts';
export { browserVideoPlatform } from './browser-video.ts';
