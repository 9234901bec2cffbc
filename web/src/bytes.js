// Parts of a file as bytes, numbers and letters.

const MOST_BYTES = 1 << 24; // of a block

export const bytesOf = async (file, from, count) => new Uint8Array(await file.slice(from, from + Math.min(count, MOST_BYTES)).arrayBuffer());
export const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
export const text = (bytes, from, count) => String.fromCharCode(...bytes.subarray(from, from + count));
