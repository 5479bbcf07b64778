/** Model files that make results better and that the user fetches: nothing here is downloaded by us. */

/** A published file that serves a purpose. */
export interface KnownModelFile {
  /** The name under which it is looked for. */
  readonly file: string;
  /** Page of its makers, and the file's name there where that differs. */
  readonly origin: string;
  readonly licence: string;
  /** SHA-256 of the file as published; null where this release knows none, or where there are many such files. */
  readonly sha256: string | null;
  /** Files that are used with this one and looked for beside it. */
  readonly needs?: string;
}

/** One use of a model. The first of its files that a folder has is taken. */
export interface OptionalModel {
  readonly name: OptionalModelName;
  readonly purpose: string;
  readonly files: readonly KnownModelFile[];
}

export type OptionalModelName = 'faceLandmarker' | 'hairSegmentation' | 'perceptual' | 'lpips';

const MEDIAPIPE = 'Apache-2.0 (Google)';
const TORCHVISION =
  'BSD-3-Clause (torchvision); trained on ImageNet, whose terms may bear on the weights, as torchvision notes';
const LPIPS_PAGE = 'https://github.com/richzhang/PerceptualSimilarity';

/** The heads' file of LPIPS, which AlexNet's file goes with. */
export const LPIPS_HEADS: KnownModelFile = {
  file: 'alex.pth',
  origin: `${LPIPS_PAGE} (lpips/weights/v0.1/alex.pth)`,
  licence: 'BSD-2-Clause (Zhang, Isola, Efros, Shechtman, Wang)',
  sha256: 'df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0',
};

/** Checksums: see docs/decisions/perceptual.md for where each was found. */
export const OPTIONAL_MODELS: readonly OptionalModel[] = [
  {
    name: 'faceLandmarker',
    purpose: '478 points and 52 expression scores: a better track',
    files: [
      {
        file: 'face_landmarker.task',
        origin: 'https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker',
        licence: MEDIAPIPE,
        sha256: '64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff',
      },
    ],
  },
  {
    name: 'hairSegmentation',
    purpose: 'a better matte around hair',
    files: [
      {
        file: 'hair_segmentation.tflite',
        origin: 'https://github.com/google-ai-edge/mediapipe (mediapipe/models/hair_segmentation.tflite)',
        licence: MEDIAPIPE,
        sha256: 'd2c940c4fd80edeaf38f5d7387d1b4235ee320ed120080df67c663e749e77633',
      },
    ],
  },
  {
    name: 'perceptual',
    purpose: 'VGG16: the perceptual term of the fit’s and the baking’s loss',
    files: [
      {
        file: 'vgg16.safetensors',
        origin: 'https://huggingface.co/timm/vgg16.tv_in1k (model.safetensors)',
        licence: TORCHVISION,
        sha256: '57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8',
      },
      {
        file: 'vgg16-397923af.pth',
        origin: 'https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.vgg16.html',
        licence: TORCHVISION,
        sha256: '397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0',
      },
      {
        file: 'vgg16.onnx',
        origin: 'any VGG16 of torchvision’s weights exported to ONNX',
        licence: 'that of its weights',
        sha256: null,
      },
    ],
  },
  {
    name: 'lpips',
    purpose: 'LPIPS (AlexNet, v0.1): a score beside PSNR and SSIM',
    files: [
      {
        file: 'lpips-alex.safetensors',
        origin: `${LPIPS_PAGE} (the state dict of lpips.LPIPS(net='alex'), saved as safetensors)`,
        licence: `${LPIPS_HEADS.licence}; ${TORCHVISION}`,
        sha256: null,
      },
      {
        file: 'alexnet-owt-7be5be79.pth',
        origin: 'https://docs.pytorch.org/vision/stable/models/generated/torchvision.models.alexnet.html',
        licence: TORCHVISION,
        sha256: '7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02',
        needs: LPIPS_HEADS.file,
      },
    ],
  },
];
