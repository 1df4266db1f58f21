package gunyah.arm64.interp;

import gunyah.arm64.Cpu;
import gunyah.arm64.FlatBoard;
import gunyah.arm64.state.CpuExit;
import gunyah.arm64.translate.Translator;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Prints how many million guest instructions per second of its own CPU time the interpreter executes, by kernel and
 * round; the first rounds are warm-up. With {@code -Dtranslate=true} hot code is translated, with {@code never} it is only
 * looked for. Needs {@code aarch64-linux-gnu-gcc} and binutils. A program for people, not a test:
 *
 * <pre>java (the JVM flags of the parent POM) -cp (test class path) gunyah.arm64.interp.InterpreterThroughput [rounds]</pre>
 */
public final class InterpreterThroughput {
    private static final List<String> KERNELS = List.of("crc", "fibonacci", "quicksort", "multi-precision", "hash");
    private static final long[] CHECKSUMS = {0x818E_E5ECL, 0x2_FF42, 0xE1_F938, 0x29E7E64503L, 0x551BC1DF84851AF8L};
    private static final long LOAD = 0x1000;
    private static final int ELF_ENTRY = 24;

    private record Program(byte[] image, long entry) {
    }

    private InterpreterThroughput() {
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        int rounds = arguments.length == 0 ? 8 : Integer.parseInt(arguments[0]);
        Program program = build();
        Translator translator = switch (System.getProperty("translate", "")) {
            case "true" -> new Translator(Translator.Policy.EAGER);
            case "never" -> new Translator(new Translator.Policy(Integer.MAX_VALUE, 4_096, true, 0));
            default -> null;
        };
        try (FlatBoard board = new FlatBoard(4 << 20, 1, translator)) {
            board.memory.write(LOAD, program.image, 0, program.image.length);
            Cpu cpu = board.cpu();
            cpu.s.pc = program.entry;
            System.out.println("MIPS " + String.join("  ", KERNELS));
            for (int round = 0; round < rounds; round++) {
                System.out.println("     " + round(cpu));
            }
            if (translator != null) {
                System.out.println(translator.statistics());
            }
        }
    }

    private static String round(Cpu cpu) {
        StringBuilder line = new StringBuilder();
        for (int kernel = 0; kernel < KERNELS.size(); kernel++) {
            long start = cpuNs();
            long retired = cpu.s.retired;
            CpuExit.Kind kind = cpu.run(Long.MAX_VALUE);
            if (kind != CpuExit.Kind.HYPERCALL || cpu.x[0] != CHECKSUMS[kernel]) {
                throw new IllegalStateException("%s left with %s, checksum 0x%x".formatted(KERNELS.get(kernel), kind,
                        cpu.x[0]));
            }
            line.append("%.0f  ".formatted((cpu.s.retired - retired) * 1e3 / (cpuNs() - start)));
        }
        return line.toString();
    }

    private static long cpuNs() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static Program build() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("kernels");
        try (InputStream source = InterpreterThroughput.class.getResourceAsStream("kernels.c")) {
            Files.copy(source, directory.resolve("kernels.c"));
        }
        run(directory, "aarch64-linux-gnu-gcc", "-O2", "-ffreestanding", "-mgeneral-regs-only", "-fno-pic", "-static",
                "-nostdlib", "-Wl,--build-id=none,-N,--no-warn-rwx-segments,-Ttext=0x1000", "-o", "kernels",
                "kernels.c");
        run(directory, "aarch64-linux-gnu-objcopy", "-O", "binary", "kernels", "kernels.bin");
        byte[] elf = Files.readAllBytes(directory.resolve("kernels"));
        byte[] image = Files.readAllBytes(directory.resolve("kernels.bin"));
        for (String file : List.of("kernels.c", "kernels", "kernels.bin")) {
            Files.delete(directory.resolve(file));
        }
        Files.delete(directory);
        return new Program(image, ByteBuffer.wrap(elf).order(ByteOrder.LITTLE_ENDIAN).getLong(ELF_ENTRY));
    }

    private static void run(Path directory, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).directory(directory.toFile()).inheritIO().start();
        if (process.waitFor() != 0) {
            throw new IOException(command[0] + " failed");
        }
    }
}
