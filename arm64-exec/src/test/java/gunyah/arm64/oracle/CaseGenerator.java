package gunyah.arm64.oracle;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.InstructionRow;
import java.util.SplittableRandom;

/**
 * Random legal words of a row, with the registers that matter made to fit: bases point into the buffer (aligned and
 * not, sometimes where access is refused), branch targets where nothing lies. What the architecture leaves
 * UNPREDICTABLE is left out.
 */
final class CaseGenerator {
    private static final int SLOT = 0x4000;
    private static final int SLOTS = (int) (InstructionOracle.CODE_END - InstructionOracle.SPARSE_CODE) / SLOT;
    private static final int BLOCK_BYTES = 12;
    /** op0..op2 keys of the registers that MRS and MSR cases use, as in bits 20:5 of the word. */
    private static final int[] SYSTEM_REGISTERS = {0xDA10, 0xDA20, 0xDA21, 0xDE82, 0xDE83, 0xC208};

    private final SplittableRandom random;
    private final Decoder decoder;
    private final int states;
    private final boolean tags;
    private long nextDense = InstructionOracle.CODE;
    private int nextSlot;

    CaseGenerator(SplittableRandom random, Decoder decoder, int states, boolean tags) {
        this.tags = tags;
        this.random = random;
        this.decoder = decoder;
        this.states = states;
    }

    /** {@return whether another case fits behind the ones made so far} */
    boolean hasRoom() {
        return nextSlot < SLOTS - 1 && nextDense < InstructionOracle.SPARSE_CODE - BLOCK_BYTES;
    }

    /** {@return a case of {@code row}} */
    Case next(InstructionRow row) {
        int state = random.nextInt(states);
        for (int tries = 0; tries < 200_000; tries++) {
            int word = fit(row, row.value() | random.nextInt() & ~row.mask());
            if (decoder.decode(word).row != row || isUnpredictable(row, word)) {
                continue;
            }
            if (isSparse(word) && !isGoodTarget(word, InstructionOracle.SPARSE_CODE + (long) nextSlot * SLOT + SLOT / 2
                    + 4)) {
                continue;
            }
            return new Case(row, word, state, address(word), patches(word));
        }
        throw new IllegalStateException("no allocated word for " + row.name());
    }

    private static boolean isSparse(int word) {
        return isDirectBranch(word) || isLiteral(word);
    }

    /** {@return where the next case goes, if it is this word} */
    long address(int word) {
        if (isSparse(word)) {
            return InstructionOracle.SPARSE_CODE + (long) nextSlot++ * SLOT + SLOT / 2;
        }
        nextDense += BLOCK_BYTES;
        return nextDense - BLOCK_BYTES;
    }

    private static int bits(int word, int low, int width) {
        return word >>> low & (1 << width) - 1;
    }

    private static int signed(int word, int low, int width) {
        return word << 32 - low - width >> 32 - width;
    }

    private static int put(int word, int low, int width, int value) {
        int mask = (1 << width) - 1;
        return word & ~(mask << low) | (value & mask) << low;
    }

    private int fit(InstructionRow row, int word) {
        String name = row.name();
        if (name.equals("MRS") || name.equals("MSR_reg")) {
            int key = SYSTEM_REGISTERS[random.nextInt(SYSTEM_REGISTERS.length)];
            return put(word, 5, 15, key);
        }
        if (name.matches("FN?M[AL][DSA].*|FML[AS].*") && random.nextInt(4) == 0) {
            // V29 * V30 with an addend V31 that nearly cancels it
            int fitted = put(put(word, 5, 5, 29), 16, row.pattern().contains("mmmmm") ? 5 : 4, 30);
            return row.pattern().contains("aaaaa") ? put(fitted, 10, 5, 31) : put(fitted, 0, 5, 31);
        }
        if (isLiteral(word) || isDirectBranch(word) && bits(word, 26, 5) != 5) {
            // most of 19 bits would leave the code
            return random.nextInt(4) == 0 ? word : put(word, 5, 19, put(bits(word, 5, 19), 13, 6, signed(word, 17, 1)));
        }
        return word;
    }

    private static boolean isMemory(int word) {
        return bits(word, 27, 1) == 1 && bits(word, 25, 1) == 0;
    }

    private static boolean isLiteral(int word) {
        return isMemory(word) && bits(word, 28, 2) == 1 && bits(word, 24, 1) == 0;
    }

    private static boolean isDirectBranch(int word) {
        return bits(word, 26, 5) == 5 || bits(word, 25, 6) == 0b011010 || bits(word, 25, 6) == 0b011011
                || bits(word, 24, 8) == 0b01010100;
    }

    private static boolean isIndirectBranch(int word) {
        return bits(word, 25, 7) == 0b1101011;
    }

    private boolean isGoodTarget(int word, long pc) {
        boolean test = bits(word, 25, 6) == 0b011011;
        long target = pc + 4L * (bits(word, 26, 5) == 5 ? signed(word, 0, 26) : signed(word, 5, test ? 14 : 19));
        if (isLiteral(word)) {
            return target >= InstructionOracle.SPARSE_CODE && target + 16 < InstructionOracle.CODE_END;
        }
        boolean inBlock = (target & SLOT - 1) >= SLOT / 2 && (target & SLOT - 1) < SLOT / 2 + BLOCK_BYTES;
        if (inBlock) {
            return target == pc + 4;
        }
        return target < 0x4000_0000L || target >= InstructionOracle.SPARSE_CODE && target < InstructionOracle.CODE_END;
    }

    static boolean isUnpredictable(InstructionRow row, int word) {
        if (!isMemory(word)) {
            return false;
        }
        int t = bits(word, 0, 5);
        int n = bits(word, 5, 5);
        int second = bits(word, 10, 5);
        int status = bits(word, 16, 5);
        boolean vector = bits(word, 26, 1) == 1;
        boolean load = row.name().startsWith("LD");
        switch (bits(word, 28, 2)) {
            case 0 -> {
                if (vector) {
                    return false;
                }
                boolean exclusive = bits(word, 23, 1) == 0;
                boolean pair = exclusive && bits(word, 21, 1) == 1 && bits(word, 31, 1) == 1;
                if (exclusive && !load && !row.name().startsWith("CASP")) {
                    return status == t || status == n && n != 31 || pair && status == second;
                }
                return pair && load && t == second;
            }
            case 2 -> {
                boolean writeBack = bits(word, 23, 1) == 1;
                return load && t == second || !vector && writeBack && n != 31 && (t == n || second == n);
            }
            case 3 -> {
                boolean writeBack = bits(word, 24, 1) == 0 && (bits(word, 21, 1) == 0 ? bits(word, 10, 1) == 1
                        : bits(word, 10, 2) == 3);
                return !vector && writeBack && n != 31 && t == n;
            }
            default -> {
                return false;
            }
        }
    }

    private long[] patches(int word) {
        if (isIndirectBranch(word)) {
            return new long[] {branchRegister(word), target()};
        }
        if (!isMemory(word) || isLiteral(word)) {
            return new long[0];
        }
        int base = bits(word, 5, 5);
        boolean registerOffset = bits(word, 28, 2) == 3 && bits(word, 24, 1) == 0 && bits(word, 21, 1) == 1
                && bits(word, 10, 2) == 2;
        if (registerOffset) {
            int index = bits(word, 16, 5);
            if (index == base) {
                // whatever the sum is, it is an address where nothing lies
                return new long[] {base, 1L << 40 | random.nextLong() >>> 24};
            }
            int size = bits(word, 26, 1) == 1 && bits(word, 23, 1) == 1 ? 4 : bits(word, 30, 2);
            int shift = bits(word, 12, 1) == 1 ? size : 0;
            int option = bits(word, 13, 3);
            int small = random.nextInt(16);
            long value = switch (option) {
                case 2 -> random.nextLong() << 32 | small;
                case 6 -> random.nextLong() << 32 | small - 8 & 0xFFFF_FFFFL;
                default -> small - 8;
            };
            long offset = index == 31 ? 0 : option == 2 ? value & 0xFFFF_FFFFL : option == 6 ? (int) value : value;
            return index == 31 ? new long[] {base, target(word)}
                    : new long[] {base, target(word) - (offset << shift), index, value};
        }
        return new long[] {base, target(word) - displacement(word)};
    }

    private static int branchRegister(int word) {
        return bits(word, 5, 5);
    }

    private long target() {
        return switch (random.nextInt(8)) {
            case 0 -> random.nextLong();
            case 1 -> InstructionOracle.SPARSE_CODE + 4 + random.nextInt(3) + 0x10L * random.nextInt(0x100);
            case 2 -> 0x8000_0000L + 4L * random.nextInt(1 << 20);
            default -> InstructionOracle.SPARSE_CODE + (long) random.nextInt(SLOTS) * SLOT + 4L * random.nextInt(1000);
        };
    }

    /** The address that the access is to have: nearly always in the buffer. */
    private long target(int word) {
        long address = untagged();
        return tags && random.nextInt(4) == 0 ? address | random.nextLong() << 56 : address;
    }

    private long untagged() {
        int where = random.nextInt(64);
        int unaligned = random.nextInt(4) == 0 ? random.nextInt(16) : 0;
        int spread = 16 * random.nextInt(18) + unaligned;
        return switch (where) {
            case 0 -> InstructionOracle.READ_ONLY_BLOCK + spread;
            case 1 -> InstructionOracle.UNMAPPED_BLOCK - 8 - random.nextInt(64);
            case 3 -> InstructionOracle.BUFFER + 256 - random.nextInt(64);
            case 4 -> random.nextLong();
            default -> InstructionOracle.BUFFER + 64 + spread;
        };
    }

    private static long displacement(int word) {
        boolean vector = bits(word, 26, 1) == 1;
        int size = bits(word, 30, 2);
        switch (bits(word, 28, 2)) {
            case 1 -> {
                return signed(word, 12, 9);
            }
            case 2 -> {
                int scale = vector ? 2 + size : 2 + (size >> 1);
                return bits(word, 23, 2) == 1 ? 0 : (long) signed(word, 15, 7) << scale;
            }
            case 3 -> {
                if (bits(word, 24, 1) == 1) {
                    return (long) bits(word, 10, 12) << (vector && bits(word, 23, 1) == 1 ? 4 : size);
                }
                if (bits(word, 21, 1) == 1) {
                    boolean authenticated = bits(word, 10, 1) == 1;
                    return authenticated ? 8L * (bits(word, 12, 9) - 512 * bits(word, 22, 1)) : 0;
                }
                return bits(word, 10, 2) == 1 ? 0 : signed(word, 12, 9);
            }
            default -> {
                return 0;
            }
        }
    }
}
