package gunyah.arm64.translate;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Ops;
import gunyah.arm64.fp.FpRows;
import gunyah.arm64.semantics.IntegerRows;
import gunyah.arm64.state.CpuFeatures;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * A program that never ends: blocks of random integer instructions, each with a random branch, call or return behind it.
 * X28 points into the data and X27 is a small offset, most accesses use them; the others mostly fault, and the handler at
 * the vectors goes on behind the faulting instruction. X26 and X30 belong to the handler and to calls.
 */
final class RandomProgram {
    private static final int FIRST_RESERVED = 26;
    private static final int BLOCK = 8;
    private static final int RET = 0xD65F_03C0;
    private static final int BL = 0x9400_0000;
    private static final int B = 0x1400_0000;
    private static final int B_COND = 0x5400_0000;
    private static final int CBZ = 0x3400_0000;
    private static final int TBZ = 0x3600_0000;
    private static final int BR_X25 = 0xD61F_0320;
    private static final int ADR_X25 = 0x1000_0019;
    /** mrs x26, elr_el1; add x26, x26, #4; msr elr_el1, x26; eret. */
    static final int[] HANDLER = {0xD538_403A, 0x9100_135A, 0xD518_403A, 0xD69F_03E0};

    private final RandomGenerator random;
    private final Decoder decoder = Decoder.of(CpuFeatures.DEFAULT);
    private final List<InstructionRow> rows;
    /** Rows that the translator does not call, so that they meet each other often. */
    private final List<InstructionRow> inline;

    /** @param vectors of floating point and vectors mainly */
    RandomProgram(RandomGenerator random, boolean vectors) {
        this.random = random;
        List<InstructionRow> all = new ArrayList<>(IntegerRows.rows());
        if (vectors) {
            all.addAll(FpRows.ROWS);
        }
        this.rows = all.stream().filter(row -> CpuFeatures.DEFAULT.has(row.feature()))
                .filter(row -> !row.branches()).filter(row -> !isSystem(row.name())).toList();
        this.inline = rows.stream().filter(row -> !vectors || (row.value() >>> 26 & 1) == 1)
                .filter(row -> isInline(row)).toList();
    }

    private static boolean isSystem(String name) {
        return name.equals("MRS") || name.equals("BRK") || name.startsWith("SEV") || name.startsWith("DSB");
    }

    private boolean isInline(InstructionRow row) {
        Insn insn = decoder.decode(row.value() | random.nextInt() & ~row.mask());
        return insn.row == row && RegionCompiler.isInline(insn);
    }

    /** {@return the words of a program of that many blocks} */
    int[] words(int blocks) {
        int[] words = new int[blocks * (BLOCK + 2)];
        int at = 0;
        for (int block = 0; block < blocks; block++) {
            for (int i = 0; i < BLOCK; i++) {
                words[at++] = straight();
            }
            at = branch(words, at, blocks);
        }
        return words;
    }

    private int straight() {
        for (;;) {
            List<InstructionRow> from = random.nextBoolean() && !inline.isEmpty() ? inline : rows;
            InstructionRow row = from.get(random.nextInt(from.size()));
            int word = row.value() | random.nextInt() & ~row.mask();
            Insn insn = decoder.decode(word);
            if (isMemory(insn) && random.nextInt(8) != 0) {
                word = word & ~(31 << 5) | 28 << 5;
                if (isRegisterOffset(insn)) {
                    word = word & ~(31 << 16) | 27 << 16;
                }
                insn = decoder.decode(word);
            }
            if (insn.row == row && isFree(insn.rd) && isFree(insn.ra) && !movesBase(insn)) {
                return word;
            }
        }
    }

    private static boolean isMemory(Insn insn) {
        return (insn.word >>> 25 & 5) == 4;
    }

    private static boolean isFree(int register) {
        return register < FIRST_RESERVED || register > 30;
    }

    private static boolean isRegisterOffset(Insn insn) {
        return insn.op >= Ops.LDR_X_REG && insn.op <= Ops.STRB_REG || insn.row.name().contains("_reg");
    }

    private static boolean movesBase(Insn insn) {
        if (!isMemory(insn) || insn.rn < FIRST_RESERVED || insn.rn > 30 || isRegisterOffset(insn)) {
            return false;
        }
        String name = insn.row.name();
        return (insn.word >>> 26 & 1) == 1 ? name.contains("post") || name.contains("pre") : insn.b != 0;
    }

    private int branch(int[] words, int at, int blocks) {
        int target = random.nextInt(blocks) * (BLOCK + 2);
        int offset = target - at;
        int register = random.nextInt(FIRST_RESERVED - 1);
        switch (random.nextInt(8)) {
            case 0 -> words[at] = B | offset & 0x3FF_FFFF;
            case 1 -> words[at] = BL | offset & 0x3FF_FFFF;
            case 2 -> words[at] = RET;
            case 3 -> words[at] = CBZ | random.nextInt(2) << 31 | random.nextInt(2) << 24 | (offset & 0x7_FFFF) << 5
                    | register;
            case 4 -> words[at] = TBZ | random.nextInt(2) << 31 | random.nextInt(2) << 24
                    | random.nextInt(32) << 19 | (offset & 0x3FFF) << 5 | register;
            case 5 -> {
                words[at] = ADR_X25 | ((offset & 0x7_FFFF) << 5);
                words[at + 1] = BR_X25;
                return at + 2;
            }
            default -> words[at] = B_COND | (offset & 0x7_FFFF) << 5 | random.nextInt(16);
        }
        words[at + 1] = straight();
        return at + 2;
    }
}
