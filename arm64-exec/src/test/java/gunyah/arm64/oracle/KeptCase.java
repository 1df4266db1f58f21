package gunyah.arm64.oracle;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.Insn;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A case that once was a mistake of ours, in its text form: the word, then the state as {@code register=value} in
 * hexadecimal, the later value of a register counting ({@code v3=high:low}); what is not named is zero, what follows
 * {@code #} is for people. A failing test prints its cases in this form.
 */
record KeptCase(int word, ByteBuffer state, String line) {
    /** {@return the cases of {@code kept-cases.txt}} */
    static List<KeptCase> all() throws IOException {
        try (InputStream file = KeptCase.class.getResourceAsStream("kept-cases.txt")) {
            return new String(file.readAllBytes(), StandardCharsets.UTF_8).lines().map(line -> line.split("#")[0].strip())
                    .filter(line -> !line.isEmpty()).map(KeptCase::parse).toList();
        }
    }

    private static KeptCase parse(String line) {
        String[] words = line.split(" +");
        ByteBuffer state = InstructionOracle.newState();
        for (int k = 1; k < words.length; k++) {
            String name = words[k].substring(0, words[k].indexOf('='));
            String value = words[k].substring(name.length() + 1);
            switch (name) {
                case "nzcv" -> state.putLong(InstructionOracle.NZCV, hex(value));
                case "fpcr" -> state.putLong(InstructionOracle.FPCR, hex(value));
                case "fpsr" -> state.putLong(InstructionOracle.FPSR, hex(value));
                default -> {
                    int number = Integer.parseInt(name.substring(1));
                    if (name.startsWith("x")) {
                        state.putLong(8 * number, hex(value));
                    } else {
                        String[] halves = value.split(":");
                        state.putLong(InstructionOracle.V + 16 * number + 8, hex(halves[0]));
                        state.putLong(InstructionOracle.V + 16 * number, hex(halves[1]));
                    }
                }
            }
        }
        return new KeptCase(Integer.parseUnsignedInt(words[0], 16), state, line);
    }

    private static long hex(String value) {
        return Long.parseUnsignedLong(value, 16);
    }

    /** {@return this as a case on state {@code number} at {@code address}} */
    Case at(Decoder decoder, int number, long address) {
        Insn insn = decoder.decode(word);
        return new Case(insn.row, word, number, address, new long[0]);
    }

    /** {@return the case as a line: only registers that the word may name, and the control registers} */
    static String describe(Case c, ByteBuffer states) {
        int at = c.state() * InstructionOracle.STATE_BYTES;
        StringBuilder line = new StringBuilder("%n    %08x nzcv=%x fpcr=%x fpsr=%x".formatted(c.word(),
                states.getLong(at + InstructionOracle.NZCV), states.getLong(at + InstructionOracle.FPCR),
                states.getLong(at + InstructionOracle.FPSR)));
        boolean[] seen = new boolean[32];
        for (int low : new int[] {0, 5, 16, 10}) {
            int number = c.word() >>> low & 31;
            if (!seen[number]) {
                seen[number] = true;
                int v = at + InstructionOracle.V + 16 * number;
                line.append(" x%d=%x v%d=%x:%x".formatted(number, states.getLong(at + 8 * number), number,
                        states.getLong(v + 8), states.getLong(v)));
            }
        }
        for (int k = 0; k < c.patches().length; k += 2) {
            line.append(" x%d=%x".formatted(c.patches()[k], c.patches()[k + 1]));
        }
        return line.append(" # ").append(c.row().name()).toString();
    }
}
