import type { FaceModels } from '../inference/face-models.ts';
import type { Frame } from '../video/frame.ts';
import { boxArea, detectFaces, overlap, type Detection } from './face-detector.ts';
import {
  landmarkBox,
  regionFromDetection,
  regionFromLandmarks,
  runBlendshapes,
  runFaceMesh,
  type FaceMesh,
} from './face-mesh.ts';
import { sampleLandmarkColors } from './occlusion.ts';
import { CutDetector } from './shots.ts';

/** One face in one frame. */
export interface Sighting {
  readonly landmarks: Float32Array;
  readonly score: number;
  readonly blendshapes: Float32Array | null;
  /** Colours at a few landmarks, to tell when something covers the face. */
  readonly colors: Uint8Array;
}

/** One face followed through one shot. */
export interface FaceTrack {
  readonly shot: number;
  /** By position among the frames looked at. */
  readonly sightings: Map<number, Sighting>;
}

/** Below this the network does not see a face. */
const MINIMUM_SCORE = 0.5;
/** The detector looks for further faces this often, in frames. */
const DETECTION_INTERVAL = 12;
/** While no face is seen, the parts of the frame are searched too, this often: it takes dozens of runs. */
const THOROUGH_INTERVAL = 6;
const MAXIMUM_FACES = 4;
const MINIMUM_OVERLAP = 0.15;

/**
 * Follows every face of a video: landmarks give the region to look at in the next frame; the detector runs at the start
 * of a shot, when a face is lost, and now and then to see further faces.
 */
export class FaceTracker {
  readonly tracks: FaceTrack[] = [];
  /** Positions of the frames that begin a shot, the first among them. */
  readonly shotStarts: number[] = [];
  private readonly cuts = new CutDetector();
  private active: { track: FaceTrack; landmarks: Float32Array; isLost: boolean }[] = [];
  private position = 0;
  /** Frames since a face was last seen. */
  private unseen = 0;

  constructor(private readonly models: FaceModels) {}

  /** Looks at the next frame. */
  async observe(frame: Frame): Promise<void> {
    const isCut = this.cuts.next(frame.image);
    if (isCut || this.position === 0) {
      this.active = [];
      this.shotStarts.push(this.position);
    }
    for (const face of this.active) {
      if (face.isLost) continue;
      const mesh = await runFaceMesh(this.models, frame.image, regionFromLandmarks(face.landmarks));
      if (mesh.score < MINIMUM_SCORE || this.isTaken(mesh, face.track)) face.isLost = true;
      else await this.record(face, mesh, frame);
    }
    const isSearching = this.active.length === 0 || this.active.some((face) => face.isLost);
    if (isSearching || this.position % DETECTION_INTERVAL === 0) await this.detect(frame);
    this.position++;
  }

  private async detect(frame: Frame): Promise<void> {
    const isThorough = this.active.every((face) => face.isLost) && this.unseen++ % THOROUGH_INTERVAL === 0;
    for (const detection of await detectFaces(this.models.detector, frame.image, isThorough)) {
      const near = (face: { landmarks: Float32Array }): boolean =>
        overlap(landmarkBox(face.landmarks), detection.box) > MINIMUM_OVERLAP;
      if (this.active.some((face) => !face.isLost && near(face))) continue;
      const mesh = await this.meshOf(detection, frame);
      if (mesh.score < MINIMUM_SCORE || this.isTaken(mesh, null)) continue;
      const face =
        this.active.find((candidate) => candidate.isLost && near(candidate)) ?? this.soleLostFace() ?? this.begin();
      if (!face) continue;
      face.isLost = false;
      await this.record(face, mesh, frame);
    }
  }

  /** The detector's region is rough: look again where the first landmarks point. */
  private async meshOf(detection: Detection, frame: Frame): Promise<FaceMesh> {
    const rough = await runFaceMesh(this.models, frame.image, regionFromDetection(detection));
    return rough.score < MINIMUM_SCORE
      ? rough
      : runFaceMesh(this.models, frame.image, regionFromLandmarks(rough.landmarks));
  }

  /** Where one face alone was followed and lost, the next one found in the shot is taken for the same. */
  private soleLostFace(): (typeof this.active)[number] | undefined {
    return this.active.length === 1 && this.active[0].isLost ? this.active[0] : undefined;
  }

  private begin(): (typeof this.active)[number] | undefined {
    if (this.active.length >= MAXIMUM_FACES) return undefined;
    const face = {
      track: { shot: this.shotStarts.length - 1, sightings: new Map<number, Sighting>() },
      landmarks: new Float32Array(0),
      isLost: false,
    };
    this.tracks.push(face.track);
    this.active.push(face);
    return face;
  }

  /** True when another track already has this face in this frame. */
  private isTaken(mesh: FaceMesh, own: FaceTrack | null): boolean {
    const box = landmarkBox(mesh.landmarks);
    return this.active.some(
      (face) =>
        face.track !== own &&
        !face.isLost &&
        face.track.sightings.has(this.position) &&
        overlap(landmarkBox(face.landmarks), box) > 0.5,
    );
  }

  private async record(face: (typeof this.active)[number], mesh: FaceMesh, frame: Frame): Promise<void> {
    face.landmarks = mesh.landmarks;
    this.unseen = 0;
    face.track.sightings.set(this.position, {
      ...mesh,
      blendshapes: await runBlendshapes(this.models, mesh.landmarks),
      colors: sampleLandmarkColors(frame.image, mesh.landmarks),
    });
  }
}

/** The face to make the avatar of: the largest and steadiest, by the sum of its sizes over the frames that show it. */
export function chooseTrack(tracks: readonly FaceTrack[]): FaceTrack | null {
  let best: FaceTrack | null = null;
  let most = 0;
  for (const track of tracks) {
    let weight = 0;
    for (const sighting of track.sightings.values()) weight += Math.sqrt(boxArea(landmarkBox(sighting.landmarks)));
    if (weight > most) {
      most = weight;
      best = track;
    }
  }
  return best;
}
