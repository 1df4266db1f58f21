package gunyah.arm64.disasm;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.state.CpuFeatures;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The text of A64 instructions, for people: reports and listings. It is what objdump (GNU binutils 2.40) writes,
 * preferred aliases and remarks included, with single spaces. Driven by {@code formats.txt}, whose lines belong to rows
 * of the decode table by name. Immutable; any thread. Not for hot paths.
 */
public final class Disassembler {
    private static final Decoder DECODER = Decoder.of(CpuFeatures.MAX);
    private static final Map<String, List<Format>> FORMATS = formats();

    private Disassembler() {
    }

    /**
     * {@return the text of an instruction} An unallocated word gives {@code .inst} and {@code undefined}.
     *
     * @param word the instruction, whether or not some CPU has its feature
     * @param pc   its address, which branches and PC-relative addresses are counted from
     */
    public static String text(int word, long pc) {
        InstructionRow row = DECODER.classify(word);
        if (row != Decoder.UNALLOCATED) {
            for (Format format : FORMATS.get(row.name())) {
                if (format.applies(word)) {
                    return format.text(row, word, pc);
                }
            }
        }
        return word >>> 16 == 0 ? "udf #%d".formatted(word) : ".inst 0x%08x ; undefined".formatted(word);
    }

    /** {@return the formats of a row, in the order in which they are tried} */
    static List<Format> formats(InstructionRow row) {
        return FORMATS.get(row.name());
    }

    private static Map<String, List<Format>> formats() {
        List<Format> lines = lines("formats.txt").stream().map(Format::parse).toList();
        Map<String, List<Format>> formats = new HashMap<>();
        for (InstructionRow row : Decoder.rows()) {
            List<Format> own = new ArrayList<>();
            for (Format line : lines) {
                if (line.isOf(row)) {
                    own.add(line);
                    if (line.isUnconditional()) {
                        break;
                    }
                }
            }
            formats.put(row.name(), own);
        }
        return formats;
    }

    /** {@return the lines of a resource of this package but for comments and empty ones} */
    static List<String> lines(String resource) {
        Pattern comment = Pattern.compile("\\s*(#.*)?");
        try (InputStream file = Disassembler.class.getResourceAsStream(resource)) {
            return new String(file.readAllBytes(), StandardCharsets.US_ASCII).lines()
                    .filter(line -> !comment.matcher(line).matches()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
