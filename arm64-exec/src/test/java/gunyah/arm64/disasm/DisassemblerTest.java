package gunyah.arm64.disasm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.decode.Objdump;
import gunyah.arm64.state.CpuFeatures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The text of random words of every row equals that of objdump (binutils 2.40), runs of spaces being one. Properties:
 * {@code gunyah.texts} (words of each row, default 100), {@code gunyah.seed}.
 */
class DisassemblerTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20261125L);
    private static final int TEXTS = Integer.getInteger("gunyah.texts", 100);
    private static final int CHUNK = 400_000;

    private final SplittableRandom random = new SplittableRandom(SEED);
    private final Decoder decoder = Decoder.of(CpuFeatures.MAX);
    private final Map<String, String> differences = new TreeMap<>();

    @Test
    void everyWordOfEveryRowHasAText() {
        for (InstructionRow row : Decoder.rows()) {
            List<Format> formats = Disassembler.formats(row);
            assertThat(formats).as(row.name()).isNotEmpty();
            assertThat(formats.getLast().isUnconditional()).as("%s: %s", row.name(), formats).isTrue();
                assertThat(Disassembler.text(word(row), 0)).as(row.name()).isNotBlank();
        }
    }

    @Test
    void textsForPeople() {
        assertThat(Disassembler.text(0xD503201F, 0)).isEqualTo("nop");
        assertThat(Disassembler.text(0xA9BF7BFD, 0)).isEqualTo("stp x29, x30, [sp, #-16]!");
        assertThat(Disassembler.text(0x910003FD, 0)).isEqualTo("mov x29, sp");
        assertThat(Disassembler.text(0x17FFFFFF, 0x4020_0004L)).isEqualTo("b 0x40200000");
        assertThat(Disassembler.text(0x54000001, 0x1000)).isEqualTo("b.ne 0x1000 // b.any");
        assertThat(Disassembler.text(0xB0000000, 0x4020_0123L)).isEqualTo("adrp x0, 0x40201000");
        assertThat(Disassembler.text(0xD5381000, 0)).isEqualTo("mrs x0, sctlr_el1");
        assertThat(Disassembler.text(0xD508871F, 0)).isEqualTo("tlbi vmalle1");
        assertThat(Disassembler.text(0xD50B7420, 0)).isEqualTo("dc zva, x0");
        assertThat(Disassembler.text(0, 0)).isEqualTo("udf #0");
        assertThat(Disassembler.text(0xFFFF_FFFF, 0)).isEqualTo(".inst 0xffffffff ; undefined");
    }

    @Test
    @Tag("guest")
    void textsAreThoseOfObjdump() throws IOException, InterruptedException {
        if (!Objdump.isPresent()) {
            System.err.println("SKIPPED: no text was compared, missing: " + Objdump.NAME);
        }
        assumeTrue(Objdump.isPresent(), "missing " + Objdump.NAME);
        List<InstructionRow> rows = Decoder.rows();
        List<Integer> words = new ArrayList<>();
        long compared = 0;
        for (int k = 0; k < TEXTS; k++) {
            rows.forEach(row -> words.add(word(row)));
            if (words.size() > CHUNK - rows.size() || k == TEXTS - 1) {
                compare(words);
                compared += words.size();
                words.clear();
            }
        }

        System.out.printf("%,d texts of %d rows compared with objdump, seed %d%n", compared, rows.size(), SEED);
        assertThat(differences).as("seed %d", SEED).isEmpty();
    }

    /** {@return a random word of the row; registers 31, equal registers and zero immediates are frequent} */
    private int word(InstructionRow row) {
        for (;;) {
            int free = ~row.mask();
            int word = row.value() | random.nextInt() & free;
            switch (random.nextInt(8)) {
                case 0 -> word |= 31 & free;
                case 1 -> word |= 31 << 5 & free;
                case 2 -> word |= 31 << 16 & free;
                case 3 -> word &= ~(0xFFF << 10 & free);
                case 4 -> word = word & ~(31 << 16 & free) | (word >>> 5 & 31) << 16 & free;
                case 5 -> word |= 31 << 10 & free;
                default -> {
                }
            }
            if (decoder.classify(word) == row) {
                return word;
            }
        }
    }

    private void compare(List<Integer> words) throws IOException, InterruptedException {
        ByteBuffer code = ByteBuffer.allocate(4 * words.size()).order(ByteOrder.LITTLE_ENDIAN);
        words.forEach(code::putInt);
        Objdump.each(code, (at, text) -> note(code.getInt(at), at, text.replaceAll("\\s+", " ").strip()));
    }

    private void note(int word, long pc, String expected) {
        String actual = Disassembler.text(word, pc);
        if (!actual.equals(expected)) {
            differences.putIfAbsent(decoder.classify(word).name(), "%08x is \"%s\", not \"%s\"".formatted(word, actual,
                    expected));
        }
    }
}
