/** Why a video cannot be used; lets a caller react without reading the sentence. */
export type VideoProblem =
  | 'missing' // no such file
  | 'empty' // zero bytes
  | 'not-a-video' // a container nobody knows, or no container at all
  | 'no-video-track' // audio only
  | 'incomplete' // the index is missing: a recording that was cut off
  | 'codec' // this machine cannot decode the codec
  | 'corrupt' // nothing could be decoded
  | 'decoder'; // ffmpeg is missing or failed

/** The video cannot be used. The message is one sentence about the cause and one about the way out. */
export class UnsupportedVideoError extends Error {
  override readonly name = 'UnsupportedVideoError';
  readonly problem: VideoProblem;

  constructor(problem: VideoProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
