/** A folder's manifest.json: what each of its files must read as. */

export interface ExpectedArray {
  /** Slowest first. */
  shape: number[];
  dtype: string;
  min?: number;
  max?: number;
  mean?: number;
  /** Of the samples as little-endian bytes in C order. */
  sha256_le_c?: string;
}

export interface ExpectedImage extends ExpectedArray {
  /** One letter per axis of `shape`, S for colour samples; or a remark. */
  axes?: string;
  spacing?: { x: number | null; y: number | null; z: number | null; unit: string } | null;
  spacing_fastest_first?: number[] | null;
  n_levels?: number;
  lossy?: boolean;
}

export interface ExpectedArrays {
  arrays: Record<string, ExpectedArray>;
  multiscales?:
    | {
        axes?: { name: string; unit?: string }[];
        datasets: { path: string; coordinateTransformations?: { type?: string; scale?: number[] }[] }[];
      }[]
    | null;
}

export interface ExpectedRois {
  read_roi: Record<string, Record<string, unknown>>;
}

export interface Unit {
  id: string;
  format: string;
  files: string[];
  /** core: exact. exotic: exact or a clear error. corrupt: an error (or, where the note says so, a partial read). */
  level: 'core' | 'exotic' | 'corrupt';
  expected: ExpectedImage | ExpectedArrays | ExpectedRois | Record<string, ExpectedArray> | null;
  note?: string;
  is_directory?: boolean;
}

/** What the page found in a file. Samples are told by their hash, in the order of our axes t, c, z, y, x. */
export interface ReadLevel {
  shape: number[];
  dtype: string;
  spacing: number[];
  unit: string;
  calibrated: boolean;
  timeStep: number | null;
  /** SHA-256 of the samples in the order asked for. */
  sha256: string;
  min: number;
  max: number;
  mean: number;
}

export interface Reading {
  error?: { kind: string; message: string };
  levels?: ReadLevel[];
  levelCount?: number;
  notes?: string[];
  rois?: Record<string, unknown>[];
  milliseconds: number;
}
