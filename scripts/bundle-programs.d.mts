/** Writes our two programs and their chunks into a folder called `dist`, in place of what is there. */
export declare function bundlePrograms(outdir: string): Promise<void>;
