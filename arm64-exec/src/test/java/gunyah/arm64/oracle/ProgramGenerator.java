package gunyah.arm64.oracle;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.InstructionRow;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random programs that end: straight code of any row, branches over blocks, counted loops, calls direct and by
 * register, memory of all sizes, atomics and exclusive sequences. X28 points into the buffer of
 * {@link InstructionOracle}, X27 is a small index, X26 a base that moves; X22 to X25 and X30 belong to calls and loops. Nothing else is reserved, and
 * nothing UNPREDICTABLE is generated; now and then an access goes anywhere, and its fault ends the program.
 */
final class ProgramGenerator {
    private static final int FIRST_RESERVED = 22;
    private static final int POINTER = 22;
    private static final int SAVED_LINK = 23;
    private static final int OUTER_COUNT = 24;
    private static final int INNER_COUNT = 25;
    private static final int MOVING = 26;
    private static final int INDEX = 27;
    private static final int BASE = 28;
    private static final int LINK = 30;
    private static final int SP = 31;
    private static final int BASE_OFFSET = 128;

    private static final int RET = 0xD65F_03C0;
    private static final int NOP = 0xD503_201F;

    /** They need a system register of their own, or an operand that random bits do not make. */
    private static final String ELSEWHERE = "MRS|MSR_reg|SVC|BRK|CLREX|LDRA[AB].*|FCVTZS_fix_s_h|(PAC|AUT)I[AB](Z|SP)"
            + "|(ST|LD)(L|A)?X[RP].*|PRFM_literal|(LDR|PRFM|LDRSW).*_(literal|lit_.*)";

    private final SplittableRandom random;
    private final Decoder decoder;
    private final List<InstructionRow> integer = new ArrayList<>();
    private final List<InstructionRow> memory = new ArrayList<>();
    private final List<InstructionRow> vector = new ArrayList<>();
    private final List<Integer> words = new ArrayList<>();
    private final List<Integer> calls = new ArrayList<>();
    private final List<Integer> functions = new ArrayList<>();
    /** How often a block of rows is of vectors, in sixteenths. */
    private int vectors;

    ProgramGenerator(SplittableRandom random, Decoder decoder) {
        this.random = random;
        this.decoder = decoder;
        for (InstructionRow row : Decoder.rows()) {
            if (row.branches() || row.name().matches(ELSEWHERE)
                    || InstructionDifferentialTest.ELSEWHERE.contains(row.name())) {
                continue;
            }
            if ((row.value() >>> 25 & 5) == 4) {
                memory.add(row);
            } else {
                ((row.value() >>> 25 & 7) == 7 ? vector : integer).add(row);
            }
        }
    }

    /** {@return a program to be entered at its first word; its end falls out behind the last} */
    int[] next() {
        words.clear();
        calls.clear();
        functions.clear();
        vectors = random.nextInt(14);
        int passes = 16 + random.nextInt(8);
        moveWide(INDEX, random.nextInt(16));
        moveWide(OUTER_COUNT, passes);
        int top = words.size();
        int segments = 10 + random.nextInt(10);
        for (int k = 0; k < segments; k++) {
            segment(2);
        }
        if (random.nextInt(6) == 0) {
            wild();
        }
        countDown(OUTER_COUNT, top);
        int end = words.size();
        emit(NOP);
        for (int k = 0; k < 3; k++) {
            functions.add(words.size());
            straight(4 + random.nextInt(12));
            emit(RET);
        }
        for (int call : calls) {
            int target = functions.get(random.nextInt(functions.size()));
            if ((words.get(call) & 0x9F00_0000) == 0x1000_0000) {
                int bytes = 4 * (target - call);
                words.set(call, 0x1000_0000 | (bytes & 3) << 29 | (bytes >> 2 & 0x7_FFFF) << 5 | POINTER);
            } else {
                words.set(call, 0x9400_0000 | target - call & 0x3FF_FFFF);
            }
        }
        words.set(end, 0x1400_0000 | words.size() - end);
        return words.stream().mapToInt(Integer::intValue).toArray();
    }

    private void emit(int word) {
        words.add(word);
    }

    private void segment(int depth) {
        switch (random.nextInt(10)) {
            case 0, 1 -> skip(depth);
            case 2 -> {
                if (depth == 2) {
                    loop();
                } else {
                    straight(6);
                }
            }
            case 3 -> call();
            case 4 -> exclusive();
            case 5 -> control();
            default -> straight(3 + random.nextInt(12));
        }
    }

    /** A condition that jumps over a block, or into its middle. */
    private void skip(int depth) {
        int from = words.size();
        emit(NOP);
        straight(1 + random.nextInt(6));
        if (depth > 0 && random.nextInt(3) == 0) {
            segment(depth - 1);
        }
        int offset = words.size() - from;
        int register = random.nextInt(FIRST_RESERVED);
        words.set(from, switch (random.nextInt(4)) {
            case 0 -> 0x3400_0000 | random.nextInt(4) >>> 1 << 31 | random.nextInt(2) << 24 | offset << 5 | register;
            case 1 -> 0x3600_0000 | random.nextInt(2) << 31 | random.nextInt(2) << 24 | random.nextInt(32) << 19
                    | offset << 5 | register;
            case 2 -> 0x1400_0000 | offset;
            default -> 0x5400_0000 | offset << 5 | random.nextInt(16);
        });
    }

    private void loop() {
        moveWide(INNER_COUNT, 2 + random.nextInt(7));
        int top = words.size();
        straight(2 + random.nextInt(8));
        segment(1);
        countDown(INNER_COUNT, top);
    }

    /** Counts down and jumps back while not zero, in one of the ways that compilers use. */
    private void countDown(int register, int top) {
        if (random.nextBoolean()) {
            emit(0xD100_0400 | register << 5 | register);
            emit(0xB500_0000 | (top - words.size() & 0x7_FFFF) << 5 | register);
        } else {
            emit(0xF100_0400 | register << 5 | register);
            emit(0x5400_0001 | (top - words.size() & 0x7_FFFF) << 5);
        }
    }

    private void call() {
        calls.add(words.size());
        if (random.nextBoolean()) {
            emit(0x9400_0000);
        } else {
            emit(0x1000_0000 | POINTER);
            emit(0xD63F_0000 | POINTER << 5);
        }
        if (random.nextInt(3) == 0) {
            emit(0xAA00_03E0 | LINK << 16 | SAVED_LINK);
        }
    }

    /** A load exclusive, arithmetic, and a store exclusive to the same place; a loop, or its status is kept. */
    private void exclusive() {
        int size = random.nextInt(4);
        boolean pair = size >= 2 && random.nextBoolean();
        int acquire = random.nextInt(2) << 15;
        int release = random.nextInt(2) << 15;
        add(MOVING, BASE, 16 * random.nextInt(16));
        int top = words.size();
        emit(size << 30 | 0x0840_0000 | (pair ? 1 << 21 | 1 << 10 : 31 << 10) | acquire | 31 << 16 | MOVING << 5);
        for (int k = random.nextInt(4); k > 0; k--) {
            emit(word(integer));
        }
        emit(size << 30 | 0x0800_0000 | (pair ? 1 << 21 | 3 << 10 : 31 << 10) | release | 5 << 16 | MOVING << 5 | 2);
        if (random.nextBoolean()) {
            emit(0x3500_0000 | (top - words.size() & 0x7_FFFF) << 5 | 5);
        }
        if (random.nextInt(4) == 0) {
            // the monitor is open: nothing is stored, the status is 1
            emit(0xD503_3F5F);
            emit(size << 30 | 0x0800_7C00 | 6 << 16 | MOVING << 5 | 3);
        }
    }

    /** FPCR, FPSR, NZCV and TPIDR_EL0, with values that have no meaning for AArch32 only. */
    private void control() {
        switch (random.nextInt(5)) {
            case 0 -> {
                emit(0x52A0_0000 | (random.nextInt() & (random.nextBoolean() ? 0x07C8 : 0x00C0)) << 5 | 21);
                emit(0xD51B_4400 | 21);
            }
            case 1 -> {
                emit(0xD51B_4420 | 31);
                emit(0xD51B_4400 | 31);
            }
            case 2 -> {
                emit(0xD51B_4200 | random.nextInt(FIRST_RESERVED));
                emit(0xD53B_4200 | random.nextInt(FIRST_RESERVED));
            }
            case 3 -> {
                emit(0xD51B_D040 | random.nextInt(FIRST_RESERVED));
                emit(0xD53B_D040 | random.nextInt(FIRST_RESERVED));
            }
            default -> {
                emit(0x1800_0000 | random.nextInt(3) << 30 | (random.nextInt(16) & 0x7_FFFF) << 5
                        | random.nextInt(FIRST_RESERVED));
                emit(0x1C00_0000 | random.nextInt(3) << 30 | (-random.nextInt(words.size()) & 0x7_FFFF) << 5
                        | random.nextInt(32));
            }
        }
    }

    private void straight(int count) {
        for (int k = 0; k < count; k++) {
            int kind = random.nextInt(16);
            if (kind < vectors) {
                emit(word(vector));
            } else if (random.nextInt(3) == 0) {
                access();
            } else {
                emit(word(integer));
            }
        }
    }

    /** An access that lies in the buffer, with what makes its base fit before it. */
    private void access() {
        int word = word(memory);
        int base = switch (random.nextInt(3)) {
            case 0 -> SP;
            case 1 -> MOVING;
            default -> writesBase(word) ? MOVING : BASE;
        };
        if (base != BASE) {
            add(base, BASE, 16 * random.nextInt(4));
        }
        word = word & ~(31 << 5) | base << 5;
        if (usesIndex(word)) {
            word = word & ~(31 << 16) | INDEX << 16;
        }
        emit(word);
    }

    /** An access anywhere: it mostly faults and ends the program. */
    private void wild() {
        int word = word(memory);
        emit(writesBase(word) ? word & ~(31 << 5) | MOVING << 5 : word);
    }

    private void moveWide(int register, int value) {
        emit(0xD280_0000 | value << 5 | register);
    }

    private void add(int to, int from, int value) {
        emit(0x9100_0000 | value << 10 | from << 5 | to);
    }

    private int word(List<InstructionRow> rows) {
        for (int tries = 0; tries < 100_000; tries++) {
            InstructionRow row = rows.get(random.nextInt(rows.size()));
            int word = near(row.value() | random.nextInt() & ~row.mask());
            if (decoder.decode(word).row == row && !CaseGenerator.isUnpredictable(row, word)
                    && isFree(row, word)) {
                return word;
            }
        }
        throw new IllegalStateException("no word of " + rows.getFirst().name());
    }

    private static int bits(int word, int low, int width) {
        return word >>> low & (1 << width) - 1;
    }

    /** Makes the offset of an access small. */
    private static int near(int word) {
        if ((word >>> 25 & 5) != 4) {
            return word;
        }
        switch (bits(word, 28, 2)) {
            case 1 -> {
                // acquire and release with an offset: aligned
                return word & ~(0x1FF << 12) | (word & 0x3 << 16);
            }
            case 2 -> {
                return word & ~(0x7F << 15) | (word << 14 >> 29 & 0x7F) << 15;
            }
            case 3 -> {
                if (bits(word, 24, 1) == 1) {
                    return word & ~(0xFF0 << 10);
                }
                return bits(word, 21, 1) == 1 ? word : word & ~(0x1FF << 12) | (word << 14 >> 26 & 0x1FF) << 12;
            }
            default -> {
                return word;
            }
        }
    }

    private static boolean usesIndex(int word) {
        boolean registerOffset = bits(word, 28, 2) == 3 && bits(word, 24, 1) == 0 && bits(word, 21, 1) == 1
                && bits(word, 10, 2) == 2;
        boolean structurePost = bits(word, 28, 2) == 0 && bits(word, 26, 1) == 1 && bits(word, 23, 1) == 1;
        return registerOffset || structurePost;
    }

    private static boolean writesBase(int word) {
        return switch (bits(word, 28, 2)) {
            case 0 -> bits(word, 26, 1) == 1 && bits(word, 23, 1) == 1;
            case 2 -> bits(word, 23, 1) == 1;
            case 3 -> bits(word, 24, 1) == 0 && bits(word, 21, 1) == 0 && bits(word, 10, 1) == 1;
            default -> false;
        };
    }

    /** {@return whether the instruction writes no reserved register} */
    private static boolean isFree(InstructionRow row, int word) {
        boolean memory = (word >>> 25 & 5) == 4;
        boolean vector = memory ? bits(word, 26, 1) == 1 : bits(word, 25, 3) == 7 && !row.pattern().endsWith("DDDDD");
        if (vector) {
            return true;
        }
        int target = bits(word, 0, 5);
        if (!memory) {
            return isFree(target) && target != LINK;
        }
        boolean pair = bits(word, 28, 2) == 2;
        boolean swap = bits(word, 28, 2) == 0;
        return isFree(target) && isFree(target + 1) && (!pair || isFree(bits(word, 10, 5)))
                && (!swap || isFree(bits(word, 16, 5)) && isFree(bits(word, 16, 5) + 1)
                        || row.name().matches("(LD|ST)L?A?R.*"));
    }

    private static boolean isFree(int register) {
        return register < FIRST_RESERVED || register == 29 || register >= SP;
    }

    /** Puts what programs rely on into the state at the position of {@code states}. */
    static void fit(ByteBuffer states, int at) {
        states.putLong(at + 8 * BASE, InstructionOracle.BUFFER + BASE_OFFSET);
        states.putLong(at + 8 * INDEX, 0);
        states.putLong(at + 8 * MOVING, InstructionOracle.BUFFER + BASE_OFFSET);
        states.putLong(at + InstructionOracle.SP, InstructionOracle.BUFFER + BASE_OFFSET);
    }
}
