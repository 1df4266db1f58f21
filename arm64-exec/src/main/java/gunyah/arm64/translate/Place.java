package gunyah.arm64.translate;

/**
 * What a load or store accesses, when its address is made of registers and constants only: {@code bytes} bytes at
 * {@code base + (index << shift) + offset}.
 *
 * @param base   general register or the stack pointer
 * @param index  general register, or {@link #NONE}
 * @param step   what the access adds to the base register
 */
record Place(int base, int index, int shift, long offset, int bytes, long step) {
    /** No index register. */
    static final int NONE = -1;
}
