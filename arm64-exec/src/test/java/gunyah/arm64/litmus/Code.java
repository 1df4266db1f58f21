package gunyah.arm64.litmus;

import java.util.Arrays;

/**
 * Instruction words of one thread of a litmus test. X0 and X5 have the addresses of the locations X and Y, X9 that of X
 * once more; X6 is 1 and X7 is 2; what a thread saw is in X10 and X11. X12 to X15 are free.
 */
final class Code {
    static final int X = 0;
    static final int Y = 5;
    static final int X_AGAIN = 9;
    static final int ONE = 6;
    static final int TWO = 7;
    static final int SEEN = 10;
    static final int SEEN_NEXT = 11;
    private static final int SCRATCH = 12;
    private static final int STATUS = 13;

    static final int DMB_ISH = 0xD503_3BBF;
    static final int DMB_ISHLD = 0xD503_39BF;
    static final int DMB_ISHST = 0xD503_3ABF;
    static final int DSB_ISH = 0xD503_3B9F;
    static final int DSB_ISHLD = 0xD503_399F;
    static final int DSB_ISHST = 0xD503_3A9F;
    static final int ISB = 0xD503_3FDF;

    /** ldadd x6, x12, [x0]. */
    static final int LDADD = 0xF826_000C;
    /** blr x0. */
    static final int CALL_X = 0xD63F_0000;
    /** mov x11, xzr. */
    static final int CLEAR_SEEN_NEXT = 0xAA1F_03EB;
    static final int DC_CVAU_X = 0xD50B_7B20;
    static final int IC_IVAU_X = 0xD50B_7520;
    /** A function at X: nop; ret; mov x11, #1; ret. With {@link #storeBranch} it sets X11. */
    static final int[] PATCHED = {0xD503_201F, 0xD65F_03C0, 0xD280_002B, 0xD65F_03C0};

    private Code() {
    }

    static int[] of(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
    }

    static int[] word(int word) {
        return new int[] {word};
    }

    private static int[] access(int word, int address, int register) {
        return word(word | address << 5 | register);
    }

    static int[] str(int address, int register) {
        return access(0xF900_0000, address, register);
    }

    static int[] stlr(int address, int register) {
        return access(0xC89F_FC00, address, register);
    }

    static int[] ldr(int register, int address) {
        return access(0xF940_0000, address, register);
    }

    static int[] ldar(int register, int address) {
        return access(0xC8DF_FC00, address, register);
    }

    static int[] ldapr(int register, int address) {
        return access(0xF8BF_C000, address, register);
    }

    static int[] ldxr(int register, int address) {
        return access(0xC85F_7C00, address, register);
    }

    static int[] ldaxr(int register, int address) {
        return access(0xC85F_FC00, address, register);
    }

    /** A plain store by LDXR and STXR, repeated until it succeeds. */
    static int[] exclusiveStore(int address, int register) {
        return storeLoop(0xC85F_7C00, 0xC800_7C00, address, register);
    }

    /** A store-release by LDXR and STLXR, repeated until it succeeds. */
    static int[] exclusiveRelease(int address, int register) {
        return storeLoop(0xC85F_7C00, 0xC800_FC00, address, register);
    }

    private static int[] storeLoop(int load, int store, int address, int register) {
        return new int[] {load | address << 5 | SCRATCH, store | STATUS << 16 | address << 5 | register,
                0x35FF_FFC0 | STATUS}; // cbnz status, back to the load
    }

    /** SWPAL, whose old value nobody looks at. */
    static int[] swpal(int address, int register) {
        return word(0xF8E0_8000 | register << 16 | address << 5 | SCRATCH);
    }

    /** SWPL: a store-release only. */
    static int[] swpl(int address, int register) {
        return word(0xF860_8000 | register << 16 | address << 5 | SCRATCH);
    }

    /** LDADDA of zero: an acquiring load by an atomic. */
    static int[] ldadda(int register, int address) {
        return word(0xF8A0_0000 | 31 << 16 | address << 5 | register);
    }

    /** CASAL of zero for zero: what it saw is in {@code register}. */
    static int[] casal(int register, int address) {
        return new int[] {0xAA1F_03E0 | register, 0xC8E0_FC00 | register << 16 | address << 5 | 31};
    }

    /** CASP of zeros at X for 0 and 1: the low word is never changed. */
    static int[] caspHigh() {
        return new int[] {0xAA1F_03EC, 0xAA1F_03ED, // mov x12, xzr; mov x13, xzr
                0xAA1F_03EE, 0xD280_002F, // mov x14, xzr; mov x15, #1
                0x4820_7C00 | 12 << 16 | X << 5 | 14}; // casp x12, x13, x14, x15, [x0]
    }

    /** LDXP and STXP of the pair at X, repeated until it succeeds: nothing is changed. */
    static int[] exclusivePair() {
        return new int[] {0xC87F_0000 | 14 << 10 | X << 5 | 12, // ldxp x12, x14, [x0]
                0xC820_0000 | STATUS << 16 | 14 << 10 | X << 5 | 12, // stxp w13, x12, x14, [x0]
                0x35FF_FFC0 | STATUS};
    }

    /** Stores a branch to the third instruction over the first at X. */
    static int[] storeBranch() {
        return new int[] {0x5280_004C, 0x72A2_800C, 0xB900_0000 | SCRATCH}; // mov w12, #0x14000002; str w12, [x0]
    }

    /** Adds 1 at X by LDXR and STXR. */
    static int[] addExclusive() {
        return new int[] {0xC85F_7C0C, 0x9100_058C, 0xC80D_7C0C, 0x35FF_FFAD}; // ldxr; add x12, x12, #1; stxr; cbnz w13
    }

    /** Adds 1 at X by LDXP and STXP. */
    static int[] addExclusivePair() {
        return new int[] {0xC87F_380C, 0x9100_058C, 0xC82D_380C, 0x35FF_FFAD}; // ldxp x12, x14; add; stxp w13; cbnz
    }

    /** Adds 1 at X by CASP, beginning with zeros. */
    static int[] addCasp() {
        return new int[] {0xAA1F_03EC, 0xAA1F_03ED, // mov x12, xzr; mov x13, xzr
                0xAA0C_03EE, 0xAA0D_03EF, // mov x14, x12; mov x15, x13
                0x9100_05CE, // add x14, x14, #1
                0xAA0C_03EA, // mov x10, x12
                0x482C_7C0E, // casp x12, x13, x14, x15, [x0]
                0xEB0C_015F, // cmp x10, x12
                0x54FF_FF41}; // b.ne back to the first mov of two
    }

    /** Adds 1 at X by CAS, beginning with zero. */
    static int[] addCas() {
        return new int[] {0xAA1F_03EC, // mov x12, xzr
                0xAA0C_03EA, // mov x10, x12
                0x9100_058E, // add x14, x12, #1
                0xC8AC_7C0E, // cas x12, x14, [x0]
                0xEB0C_015F, // cmp x10, x12
                0x54FF_FF81}; // b.ne back to the mov of x10
    }

    /** A load whose address depends on {@code seen}. */
    static int[] ldrDependent(int register, int address, int seen) {
        return new int[] {0xCA00_0000 | seen << 16 | seen << 5 | SCRATCH, // eor scratch, seen, seen
                0xF860_6800 | SCRATCH << 16 | address << 5 | register}; // ldr register, [address, scratch]
    }

    /** A store of 1 whose value depends on {@code seen}. */
    static int[] strDependent(int address, int seen) {
        return new int[] {0xCA00_0000 | seen << 16 | seen << 5 | SCRATCH, // eor scratch, seen, seen
                0x9100_0400 | SCRATCH << 5 | SCRATCH, // add scratch, scratch, #1
                0xF900_0000 | address << 5 | SCRATCH};
    }

    /** A branch that depends on {@code seen}, to the next instruction either way. */
    static int[] control(int seen) {
        return word(0xB500_0020 | seen);
    }
}
