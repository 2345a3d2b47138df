/** A file being written, from its beginning to its end. */
export interface FileSink {
  /** Bytes that are there. */
  readonly size: number;
  /** Appends bytes. @throws CytoError `quota` if the browser's storage is full */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the file; its size in bytes and its hash. */
  close(): Promise<{ size: number; sha256: string }>;
}

/** A folder being written: named files in any order, one at a time or several at once. */
export interface FolderSink {
  /**
   * Opens a file. `keep` goes on after what is there already, which is how an interrupted download is resumed; a number
   * keeps that many bytes of it.
   * @throws CytoError `bad-input` for a name that is not a plain file name; `quota`
   */
  file(name: string, options?: { keep?: boolean | number }): Promise<FileSink>;
  /** The bytes of a small file that was written before, or undefined. */
  read(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Removes a file if it is there. */
  remove(name: string): Promise<void>;
}
