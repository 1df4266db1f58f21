package gunyah.arm64.mmu;

/**
 * Who knows which host pages hold instructions that somebody has decoded. The MMU asks when it makes a translation
 * writable and reports every store into such a page, so that stale decoded code cannot survive a store by the vCPU
 * that made it. Called on the vCPU's thread; must be quick and safe against other vCPUs calling it too.
 */
public interface CodePageOracle {
    /** Nothing is ever decoded: for CPUs without a code cache. */
    CodePageOracle NONE = new CodePageOracle() {
        @Override
        public boolean isCodePage(long hostPage) {
            return false;
        }

        @Override
        public void codeWritten(long hostPage, long offset, int size) {
        }
    };

    /** {@return whether decoded code exists for the 4 KiB page at host address {@code hostPage}} */
    boolean isCodePage(long hostPage);

    /**
     * Bytes of a code page were written, or are about to be by an atomic access.
     *
     * @param hostPage host address of the page
     * @param offset   first byte inside the page, 0..4095
     * @param size     bytes, {@code offset + size} is at most 4096
     */
    void codeWritten(long hostPage, long offset, int size);
}
