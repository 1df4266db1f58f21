package gunyah.hyp;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/** Which test classes make a hypercall. {@code abi.*} are the parts of what {@code GuestAbiTest} runs as guest code. */
final class HypercallEvidence {
    private static final Path SOURCES = Path.of("src/test/java/gunyah/hyp");
    /** Classes, then numbers. */
    private static final String CLASSES = """
            abi.PlatformScript | 00 56 67
            abi.CapabilityScript | 01 0b
            model.CapabilityModelTest | 02
            MemoryCallsTest | 03
            model.MemoryModelTest | 04
            StaticSchedulingTest | 05 3e
            DoorbellTest | 06 0a
            MsgQueueTest | 07
            model.CapabilityModelTest abi.CapabilityScript | 0c 0d 0e 0f 22 23 24 25 59
            DoorbellTest abi.IpcScript | 10 11 12 13 14 15
            MsgQueueTest abi.IpcScript | 17 18 1b 1c 1d 1f 20 21
            abi.IpcScript | 19 1a 43 44
            HwIrqTest abi.IpcScript | 26 27
            StaticSchedulingTest abi.PlatformScript | 28 29
            StaticSchedulingTest abi.MemoryScript | 2a 2e
            model.MemoryModelTest abi.MemoryScript | 2b 2c 2d 30 31 5a 60 61 69
            abi.MemoryScript | 2f 5b
            MemoryCallsTest model.MemoryModelTest | 32
            StaticSchedulingTest abi.VcpuScript | 34 3d 46 47
            VcpuRunTest abi.VcpuScript | 38 3a 65 68
            abi.VcpuScript | 39 3b 5c 5d 64
            abi.PlatformScript abi.VcpuScript | 3c 45 66
            HypercallTableTest abi.PlatformScript | 3f 57
            VirtioMmioTest | 48
            VirtioMmioTest abi.VirtioScript | 49 4a 4b 4c 4d 4e 4f 50 51 52 53 54 55
            VirtioInputTest abi.VirtioScript | 5e 5f
            abi.IpcScript abi.PlatformScript | 62
            """;

    private HypercallEvidence() {
    }

    /** {@return the classes that are said to make the call, most telling first} */
    static List<String> of(int number) {
        String wanted = "%02x".formatted(number);
        return CLASSES.lines().map(line -> line.split(" \\| "))
                .filter(parts -> Arrays.asList(parts[1].split(" ")).contains(wanted))
                .flatMap(parts -> Arrays.stream(parts[0].split(" "))).toList();
    }

    /** {@return whether the source of the class has the call's number where a call has it} */
    static boolean makes(String testClass, int number) {
        Path source = SOURCES.resolve(testClass.replace('.', '/') + ".java");
        try {
            return Pattern.compile("[(, ={]0x0?%x\\b".formatted(number), Pattern.CASE_INSENSITIVE)
                    .matcher(Files.readString(source)).find();
        } catch (IOException e) {
            throw new UncheckedIOException(testClass, e);
        }
    }
}
