package gunyah.arm64.sysreg;

import gunyah.arm64.mmu.Mmu;

/**
 * The keys of FEAT_PAuth and what they do to pointers (Arm ARM DDI 0487, D8.8; AddPAC, Auth, Strip). The algorithm is
 * IMPLEMENTATION DEFINED, as ID_AA64ISAR1_EL1.API says: XXH64 of pointer, modifier and key, the cheapest mixing that
 * other implementations (QEMU's {@code pauth-impdef}) use as well, so that results can be compared. It guards the guest
 * from itself, nobody from the guest. Owned by the vCPU's thread.
 */
public final class PointerKeys {
    public static final int IA = 0;
    public static final int IB = 1;
    public static final int DA = 2;
    public static final int DB = 3;
    public static final int GA = 4;

    private static final long PRIME_1 = 0x9E37_79B1_85EB_CA87L;
    private static final long PRIME_2 = 0xC2B2_AE3D_27D4_EB4FL;
    private static final long PRIME_3 = 0x1656_67B1_9E37_79F9L;
    private static final long PRIME_4 = 0x85EB_CA77_C2B2_AE63L;
    private static final long SEED = 1;

    private static final long BIT_55 = 1L << 55;
    /** SCTLR_EL1.EnIA, EnIB, EnDA, EnDB. */
    private static final int[] ENABLE_BIT = {31, 30, 27, 13};

    private final Mmu mmu;
    /** Low and high halves by key. */
    private final long[] keys = new long[10];
    private final boolean[] enabled = new boolean[4];

    PointerKeys(Mmu mmu) {
        this.mmu = mmu;
    }

    void writeSctlr(long value) {
        for (int key = IA; key <= DB; key++) {
            enabled[key] = (value >>> ENABLE_BIT[key] & 1) != 0;
        }
    }

    /** {@return half {@code index} of a key: 2 * key, plus 1 for the upper} */
    long half(int index) {
        return keys[index];
    }

    void setHalf(int index, long value) {
        keys[index] = value;
    }

    /** {@return {@code pointer} with its code for {@code modifier}, or as it is while the key is disabled} */
    public long sign(int key, long pointer, long modifier) {
        if (!enabled[key]) {
            return pointer;
        }
        boolean tagged = mmu.isTagged(pointer, key <= IB);
        int bottom = mmu.addressBits(pointer);
        int top = tagged ? 56 : 64;
        long extension = tagged ? pointer << 8 >> 63 : pointer >> 63;
        long field = mask(bottom, top);
        long canonical = pointer & ~field | extension & field;
        long code = code(key, canonical, modifier);
        long unused = pointer & field;
        if (unused != 0 && unused != field) {
            // the pointer was not one: make sure that it never authenticates
            code ^= 1L << top - 2;
        }
        return pointer & ~field | code & field & ~BIT_55 | extension & BIT_55;
    }

    /**
     * {@return the pointer that {@code signed} is, when its code is right for {@code modifier}; else one that faults
     * when used} As it is while the key is disabled.
     */
    public long authenticate(int key, long signed, long modifier) {
        if (!enabled[key]) {
            return signed;
        }
        boolean tagged = mmu.isTagged(signed, key <= IB);
        int top = tagged ? 56 : 64;
        long field = mask(mmu.addressBits(signed), top);
        long original = strip(signed, key <= IB);
        if (((code(key, original, modifier) ^ signed) & field & ~BIT_55) == 0) {
            return original;
        }
        // 01 for an A key, 10 for a B key, in the two bits below the top of the field (or below the top two)
        int at = tagged ? 53 : 61;
        long error = key == IA || key == DA ? 1 : 2;
        return original & ~(3L << at) | error << at;
    }

    /** {@return {@code signed} without its code} */
    public long strip(long signed, boolean code) {
        long field = mask(mmu.addressBits(signed), mmu.isTagged(signed, code) ? 56 : 64);
        return signed & ~field | signed << 8 >> 63 & field;
    }

    /** {@return PACGA: a code of {@code data} in bits 63:32} */
    public long generic(long data, long modifier) {
        return code(GA, data, modifier) & 0xFFFF_FFFF_0000_0000L;
    }

    private static long mask(int from, int to) {
        return (to == 64 ? 0 : 1L << to) - (1L << from);
    }

    private long code(int key, long data, long modifier) {
        long v1 = round(SEED + PRIME_1 + PRIME_2, data);
        long v2 = round(SEED + PRIME_2, modifier);
        long v3 = round(SEED, keys[2 * key]);
        long v4 = round(SEED - PRIME_1, keys[2 * key + 1]);
        long hash = Long.rotateLeft(v1, 1) + Long.rotateLeft(v2, 7) + Long.rotateLeft(v3, 12) + Long.rotateLeft(v4, 18);
        hash = merge(merge(merge(merge(hash, v1), v2), v3), v4);
        hash = (hash ^ hash >>> 33) * PRIME_2;
        hash = (hash ^ hash >>> 29) * PRIME_3;
        return hash ^ hash >>> 32;
    }

    private static long round(long accumulator, long input) {
        return Long.rotateLeft(accumulator + input * PRIME_2, 31) * PRIME_1;
    }

    private static long merge(long hash, long value) {
        return (hash ^ round(0, value)) * PRIME_1 + PRIME_4;
    }
}
