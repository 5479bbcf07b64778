import type { InputVideoTrack, Source, VideoCodec } from 'mediabunny';
import type { Picture } from './picture.ts';

/** What reading video needs of the machine it runs on; injected, so that this folder knows neither `node:` nor the DOM. */
export interface VideoPlatform {
  /** Opens a file by the name a user gave. Throws `UnsupportedVideoError` when it is missing or empty. */
  openSource(location: string): Promise<Source>;
  /**
   * Decodes a whole track in presentation order, a few pictures ahead at most. Leaving the loop or aborting frees
   * everything. Throws `UnsupportedVideoError` when the machine cannot decode the codec.
   */
  decode(track: InputVideoTrack, codec: VideoCodec, signal?: AbortSignal): AsyncIterable<Picture>;
}
