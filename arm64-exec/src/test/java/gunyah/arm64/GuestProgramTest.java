package gunyah.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.state.CpuExit;
import gunyah.arm64.state.CpuFeatures;
import gunyah.arm64.state.VcpuControl;
import gunyah.arm64.translate.Translator;
import gunyah.memory.Access;
import gunyah.memory.PhysicalMemory;
import gunyah.memory.Stage2Table;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Bare-metal programs ({@code src/test/guest}, built by {@code tools/build-cpu-guest.sh}) print what happens to them:
 * the same lines on our CPU, by each tier, as on QEMU's.
 */
@Tag("guest")
class GuestProgramTest {
    private static final long RAM = 0x4000_0000L;
    private static final long RAM_BYTES = 128 << 20;
    private static final long IMAGE = RAM + 0x20_0000;
    private static final long UART = 0x0900_0000L;
    private static final long NOWHERE = 0x1_0000_0000L;
    private static final long NOWHERE_END = NOWHERE + (1 << 30);
    /** X0 of the call that asks for an SError with the ISS in X1. */
    private static final long RAISE_SERROR = 0x5345_5252L;
    private static final long MOST_INSTRUCTIONS = 200_000_000;
    private static final String QEMU = "qemu-system-aarch64";

    @ParameterizedTest
    @MethodSource("programs")
    void printsWhatQemuPrints(String program, Tier tier) throws IOException {
        assertThat(run(program, tier).lines()).containsExactlyElementsOf(
                new String(resource(program + ".txt"), StandardCharsets.US_ASCII).lines().toList());
    }

    @ParameterizedTest
    @MethodSource("names")
    void theRecordedLinesAreThoseOfQemu(String program) throws Exception {
        boolean present = List.of(System.getenv("PATH").split(":")).stream()
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, QEMU)));
        if (!present) {
            System.err.println("SKIPPED: recorded lines were not compared, missing: " + QEMU);
        }
        Assumptions.assumeTrue(present, "missing " + QEMU);
        Path image = Files.createTempFile(program, ".img");
        Path output = Files.createTempFile(program, ".txt");
        Files.write(image, resource(program + ".img"));
        Process qemu = new ProcessBuilder(QEMU, "-M",
                "virt,gic-version=3" + (program.equals("aborts") ? ",virtualization=on" : ""), "-cpu",
                program.equals("registers") ? "cortex-a57" : "max,pauth-impdef=on", "-m", "512", "-net",
                "none", "-display", "none", "-serial", "file:" + output, "-monitor", "none", "-device",
                "loader,file=" + image + ",addr=0x%x,cpu-num=0,force-raw=on".formatted(IMAGE))
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        try {
            assertThat(qemu.waitFor(5, TimeUnit.MINUTES)).as("QEMU ends").isTrue();
            assertThat(Files.readAllBytes(output)).isEqualTo(resource(program + ".txt"));
        } finally {
            qemu.destroyForcibly();
            Files.delete(image);
            Files.delete(output);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream file = GuestProgramTest.class.getResourceAsStream("guest/" + name)) {
            return file.readAllBytes();
        }
    }

    static Stream<String> names() {
        return Stream.of("exceptions", "mmu", "alignment", "branches", "debug", "aborts", "registers");
    }

    static Stream<Arguments> programs() {
        // "registers" is 100,000 pieces of code that are executed once: two tiers tell as much as four
        return names().flatMap(program -> Stream.of(Tier.values())
                .filter(tier -> tier.compareTo(Tier.TRANSLATED) <= 0 || !program.equals("registers"))
                .map(tier -> Arguments.of(program, tier)));
    }

    private static String run(String program, Tier tier) throws IOException {
        Stage2Table stage2 = new Stage2Table();
        CpuFeatures features = switch (program) {
            case "branches" -> CpuFeatures.MAX;
            case "registers" -> CpuFeatures.BASE;
            default -> CpuFeatures.DEFAULT;
        };
        Translator translator = tier.translator();
        StringBuilder output = new StringBuilder();
        try (PhysicalMemory memory = new PhysicalMemory(RAM_BYTES)) {
            for (long page = 0; page < RAM_BYTES; page += PhysicalMemory.PAGE_SIZE) {
                stage2.set(RAM + page, Stage2Table.entry(page, Access.RWX, Access.RWX, 15));
            }
            byte[] image = resource(program + ".img");
            memory.write(IMAGE - RAM, image, 0, image.length);
            Cpu cpu = new Cpu(new CpuConfig(1L << 31, features), new InnerShareable(features, translator), stage2,
                    memory, new IdlePort(), new VcpuControl());
            cpu.reset(IMAGE, 0);
            int aborts = 0;
            for (;;) {
                CpuExit.Kind kind = cpu.run(MOST_INSTRUCTIONS);
                if (kind == CpuExit.Kind.HYPERCALL) {
                    if (cpu.x[0] != RAISE_SERROR) {
                        break;
                    }
                    cpu.control.pendSerror((int) cpu.x[1]);
                    continue;
                }
                CpuExit exit = cpu.exit;
                assertThat(kind).as("at 0x%x after%n%s", cpu.s.pc, output).isEqualTo(CpuExit.Kind.STAGE2_FAULT);
                if (exit.faultIpa == UART) {
                    output.append((char) (exit.writeValue & 0xFF));
                    cpu.completeMmioWrite();
                } else {
                    assertThat(exit.faultIpa).as("at 0x%x after%n%s", cpu.s.pc, output).isBetween(NOWHERE, NOWHERE_END);
                    assertThat(++aborts).as("aborts after%n%s", output).isLessThan(1_000);
                    cpu.injectExternalAbort();
                }
            }
        }
        tier.check(translator);
        return output.toString();
    }
}
