package gunyah.arm64.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.decode.Decoder;
import gunyah.arm64.decode.InstructionRow;
import gunyah.arm64.state.CpuFeatures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** {@code docs/isa.md} says what the table says; {@code -Dgunyah.docs.write=true} writes it anew. */
class IsaDocumentTest {
    /** Main encoding groups by bits 28:25 (C4.1), and what lies there. */
    private static final String[][] GROUPS = {
        {"0000", "reserved, SME"}, {"0010", "SVE"}, {"0001", "unallocated"}, {"0011", "unallocated"},
        {"100x", "data processing, immediate"}, {"101x", "branches, exceptions, system"}, {"x1x0", "loads and stores"},
        {"x101", "data processing, register"}, {"x111", "SIMD and floating point"}};

    @Test
    void theDocumentIsWhatTheTableSays() throws IOException {
        Path file = Path.of(System.getProperty("gunyah.root", "..")).resolve("docs/isa.md");
        String expected = document(Decoder.rows());
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(file, expected);
        }

        assertThat(Files.readString(file)).isEqualTo(expected);
    }

    private static String document(List<InstructionRow> rows) {
        StringBuilder text = new StringBuilder("""
                # A64 instructions

                Generated from the decode table by `IsaDocumentTest`; do not edit. A *row* is one encoding class of the
                manual (Arm ARM DDI 0487), split where an operand size changes the meaning. What no row accepts, and
                what is reserved in a row, is UNDEFINED (ESR_EL1.EC 0), and so is every row whose feature the CPU lacks,
                but for those in the hint space, which are NOP then.

                ## By encoding group

                | bits 28:25 | group | rows |
                |---|---|---|
                """);
        for (String[] group : GROUPS) {
            long count = rows.stream().filter(row -> in(row, group[0])).count();
            text.append("| %s | %s | %s |%n".formatted(group[0], group[1], count == 0 ? "none: all UNDEFINED" : count));
        }
        text.append("""

                ## By feature

                The columns are the models of `gunyah run --cpu`.

                | feature | base | default | max | rows |
                |---|---|---|---|---|
                """);
        byFeature(rows).forEach((feature, names) -> text.append("| %s | %s | %s | %s | %d |%n".formatted(
                feature.isEmpty() ? "Armv8.0" : feature.replace("&", " and "), yes(CpuFeatures.BASE, feature),
                yes(CpuFeatures.DEFAULT, feature), yes(CpuFeatures.MAX, feature), names.size())));
        verification(text, rows);
        text.append("%n## Rows%n".formatted());
        byFeature(rows).forEach((feature, names) -> text.append("%n**%s**: %s%n".formatted(
                feature.isEmpty() ? "Armv8.0" : feature.replace("&", " and "), wrapped(names))));
        return text.toString();
    }

    private static void verification(StringBuilder text, List<InstructionRow> rows) {
        int compared = rows.size() - InstructionDifferentialTest.ELSEWHERE.size();
        text.append("""

                ## How it is verified

                `InstructionDifferentialTest` executes random words of %d of the %d rows on random states (registers,
                flags, FPCR, memory; aligned and not; with faults) on our CPU and on QEMU's, and compares the whole
                state and the syndrome of exceptions: 200,000 cases by default, more with `-Dgunyah.cases=2000000`.
                `ProgramDifferentialTest` does the same with random programs of thousands of instructions (loops, calls,
                memory, exclusives, floating point, vectors), which both engines execute: 200 by default, more with
                `-Dgunyah.programs=5000`.
                `DecoderAgreementTest` compares with objdump which words are allocated (`-Dgunyah.words=5000000`) and
                decodes words of the whole space (all 2^32 with `-Dgunyah.sweep=all`). `DisassemblerTest` compares our
                text of random words of every row with that of objdump (`-Dgunyah.texts=2000`). `GuestProgramTest` runs
                bare-metal programs about exceptions, external aborts, SErrors, translation, alignment, debug, branch
                targets, pointer authentication, and which encodings of MRS, MSR and SYS exist, which print what they
                print on QEMU; `LitmusTest` looks for outcomes that the memory model forbids, of loads, stores,
                barriers, exclusives (of several VMs, too) and code that is patched while others run it
                (`-Dlitmus.iterations=1000000`), on two and on four CPUs. `HostileCodeTest` executes random words
                with random system state, by each way (`-Dhostile.words=10000000`).

                Not compared that way, because they change the system's state or leave the CPU: %s.

                Differences that we accept:

                """.formatted(compared, rows.size(), String.join(", ",
                        InstructionDifferentialTest.ELSEWHERE.stream().sorted().toList())));
        for (AcceptedDifference difference : AcceptedDifference.values()) {
            text.append("- `%s`: %s%n".formatted(difference.rows(), difference.reason()));
        }
        text.append("""

                ### Long runs

                | test | size | found |
                |---|---|---|
                | `InstructionDifferentialTest` \
                | 2,400,000 cases of 1,178 rows, more than 2,000 of each, seed 20260720 | only the differences above |
                | `ProgramDifferentialTest` \
                | 2,000 programs, 7,701,753 instructions, seed 40000000; as many, seed 30000000 | no difference |
                | `DisassemblerTest` | 5,010,600 texts, seed 20261125 | no difference: no row needs an exception |
                | `DecoderAgreementTest` | 5,000,000 words, seed 20260720 | only the four kinds that the test names |
                | `DecoderAgreementTest`, all words | 2^32 words | 1,344,684,953 are allocated, none throws |
                | `HostileCodeTest`, interpreted \
                | 10,000,000 words on the default model, as many on the one with all features, seed 20261125 \
                | no exception, hang or stray write |
                | `HostileCodeTest`, translated \
                | 8,000,000 words, seeds 101 to 108; 500,000 by each other way, seed 20261125 \
                | no exception, hang or stray write |
                | `LitmusTest`, every shape \
                | 1,000,000 iterations of each, interpreted and translated, on as many CPUs as it has threads, \
                those of two threads on four, those of exclusives and atomics translated on CPUs of several VMs, \
                seed 20261126 | nothing |
                | `LitmusTest`, patched code \
                | 3,000,000 iterations of three that run it, translated, seed 7 \
                | one race, mended before the line above: a region that was dropped between two looks was noted \
                as found after that |
                | `tools/run-real-software.sh --cpus 2 --cpu max` | 21 checks, stressors for 8 s each | all passed |
                | `LONG=1 tools/run-real-software.sh --cpus 4 --cpu max` \
                | 161 stressors, 41 minutes on a busy computer \
                | none failed, no warning of the kernel; 8 lack something, such as RDRAND |
                | the same with `SECONDS_EACH=6`, on later code | 16 minutes, other tests beside it \
                | none failed, no warning of the kernel; with 3 s a run in between ended unsuccessfully, unexplained |
                | `stress-ng --sem-sysv` after `--resources` | \
                | fails with EINVAL, as on QEMU: resources removes set 0 |

                The last four are software that we did not write, in a Debian 12 guest (kernel 6.1): stress-ng with
                `--verify`, openssl, python3's own tests (math, struct, hashlib, json, threading), sqlite, gzip.
                cyclic and resched are left out: they fail on four CPUs of QEMU, too.
                """);
    }

    private static boolean in(InstructionRow row, String group) {
        for (int k = 0; k < 4; k++) {
            if (group.charAt(k) != 'x' && row.pattern().charAt(3 + k) != group.charAt(k)) {
                return false;
            }
        }
        return true;
    }

    private static String yes(CpuFeatures features, String feature) {
        return features.has(feature) ? "yes" : "UNDEFINED";
    }

    private static Map<String, List<String>> byFeature(List<InstructionRow> rows) {
        Map<String, List<String>> names = new TreeMap<>();
        for (InstructionRow row : rows) {
            names.computeIfAbsent(row.feature(), feature -> new ArrayList<>()).add(row.name());
        }
        return names;
    }

    private static String wrapped(List<String> names) {
        StringBuilder text = new StringBuilder();
        int column = 0;
        for (String name : names) {
            text.append(column == 0 ? "" : column > 90 ? "\n" : " ").append('`').append(name).append('`');
            column = column > 90 ? 1 : column + name.length() + 3;
        }
        return text.toString();
    }
}
