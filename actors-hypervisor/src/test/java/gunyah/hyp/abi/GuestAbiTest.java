package gunyah.hyp.abi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import gunyah.hyp.HypError;
import gunyah.hyp.HypercallArgument;
import gunyah.hyp.HypercallRow;
import gunyah.hyp.HypercallRows;
import gunyah.hyp.RequiredState;
import gunyah.hyp.abi.Script.Form;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Guest code makes every hypercall with good and bad arguments, by HVC and SMC, on two vCPUs at once. */
@Tag("guest")
class GuestAbiTest {
    private static final Path ROOT = Path.of("..");
    private static final String EITHER = "*";
    /** More variables than the scripts of a vCPU have. */
    private static final int FIRST_SLOTS = 4000;

    /** Answers that no guest can bring about, and why. A call without an answer: never succeeds. */
    private static final Map<String, String> UNREACHABLE = Map.ofEntries(
            Map.entry("OK 01", "there is one partition"),
            Map.entry("OK 0e", "objects are not reset"),
            Map.entry("OK 0f", "objects are not reset"),
            Map.entry("OK 24", "the older form of revoke is not there"),
            Map.entry("OK 2f", "there is no device with DMA"),
            Map.entry("OK 3f", "the hypervisor's trace is not a guest's to switch"),
            Map.entry("OK 56", "no object is an MSI source"),
            Map.entry("RETRY 3d", "two moves must meet: StaticSchedulingTest"),
            Map.entry("DENIED 65", "only Java code calls outside a vCPU: VcpuRunTest"),
            Map.entry("FAILURE 65", "the machine must be stopping"),
            Map.entry("NOMEM " + EITHER, "objects are made from the JVM's heap"));

    @Test
    void everyCallAnswersAsDocumentedOnTwoVcpus() {
        Form[][] forms = {{Form.NATIVE, Form.SMC}, {Form.HVC, Form.NATIVE}};
        try (GuestMachine machine = new GuestMachine(1, 2, Optional.empty())) {
            List<List<Script>> scripts = new ArrayList<>();
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                Script first = script(forms[vcpu][0], FIRST_SLOTS * vcpu, machine.arena(2 * vcpu, vcpu), vcpu, false);
                scripts.add(List.of(first,
                        script(forms[vcpu][1], first.slotEnd(), machine.arena(2 * vcpu + 1, vcpu), vcpu, true)));
            }
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                machine.start(vcpu, Script.bytes(scripts.get(vcpu)));
            }
            List<String> failures = new ArrayList<>();
            int rows = 0;
            for (int vcpu = 0; vcpu < 2; vcpu++) {
                failures.add(machine.await(vcpu));
                ByteBuffer table = machine.table(vcpu, Script.bytes(scripts.get(vcpu)).length);
                for (Script script : scripts.get(vcpu)) {
                    failures.addAll(script.failures(table));
                    table.position(table.position() + script.size() * Script.ROW_BYTES);
                    rows += script.size();
                }
            }
            failures.removeIf(String::isEmpty);
            System.out.printf("%s: %d rows from guest code, %d failed%n", failures.isEmpty() ? "PASS" : "FAIL", rows,
                    failures.size());
            assertThat(failures).isEmpty();
            assertThat(machine.description(0).state()).isEqualTo("off");
            assertThat(machine.description(1).state()).isEqualTo("off");
        }
    }

    private static Script script(Form form, int firstSlot, Arena arena, int vcpu, boolean last) {
        Script script = new Script(form, firstSlot);
        Objects objects = new Objects(script, arena);
        new PlatformScript(script, arena, objects, vcpu).run();
        new CapabilityScript(script, arena, objects).run();
        new IpcScript(script, arena, objects).run();
        new VirtioScript(script, arena, objects).run();
        new MemoryScript(script, arena, objects).run();
        new VcpuScript(script, arena, objects).run();
        if (last) {
            VcpuScript.powerOff(script, arena, vcpu == 0, 1);
        }
        return script;
    }

    @Test
    void theScriptsBringAboutEveryDocumentedAnswer() {
        Arena nowhere = new Arena(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        Map<Integer, Set<HypError>> seen = script(Form.NATIVE, 0, nowhere, 0, true).seen();
        Map<String, String> unneeded = new TreeMap<>(UNREACHABLE);
        List<String> missing = new ArrayList<>();
        for (HypercallRow row : HypercallRows.all()) {
            Set<HypError> wanted = EnumSet.of(HypError.OK);
            wanted.addAll(row.words().errors());
            for (HypError answer : wanted) {
                boolean made = seen.getOrDefault(row.number(), Set.of()).contains(answer);
                String key = "%s %02x".formatted(answer, row.number());
                boolean excused = UNREACHABLE.containsKey(key) || UNREACHABLE.containsKey(answer + " " + EITHER);
                if (!made && !excused) {
                    missing.add("%s (0x%02x): %s".formatted(row.name(), row.number(), answer));
                }
                if (!made) {
                    unneeded.remove(key);
                    unneeded.remove(answer + " " + EITHER);
                }
            }
        }

        assertThat(missing).as("answers that no row of a script expects").isEmpty();
        assertThat(unneeded).as("excuses that nobody needs").isEmpty();
    }

    @Test
    void theDeclarationsAreThoseOfTheTable() {
        for (HypercallRow row : HypercallRows.all()) {
            Interface.Call call = Interface.calls().get(row.number());
            assertThat(call).as("declaration of %s (0x%02x)", row.name(), row.number()).isNotNull();
            assertThat(call.name()).isEqualTo(row.name());
            assertThat(call.results()).as(row.name()).isEqualTo(row.results());
            assertThat(call.inputs()).as(row.name()).hasSameSizeAs(row.arguments());
            for (int i = 0; i < call.inputs().size(); i++) {
                declared(row.name(), call.inputs().get(i), row.arguments().get(i));
            }
        }
        assertThat(Interface.calls()).hasSameSizeAs(HypercallRows.all());
    }

    /** Some rows look a capability up themselves, because its rights depend on other inputs. */
    private static void declared(String name, Interface.Input input, HypercallArgument argument) {
        switch (argument.kind()) {
            case RES0 -> assertThat(input.kind()).as(name).isEqualTo(Interface.Kind.ZERO);
            case RES1 -> assertThat(input.kind()).as(name).isEqualTo(Interface.Kind.ONES);
            case CAPABILITY -> {
                assertThat(input.type()).as(name).isEqualTo(argument.type());
                assertThat(input.rights()).as("rights of %s", name).isEqualTo(argument.rights() & 0xFFFF_FFFFL);
                assertThat(input.state().name()).as("state for %s", name)
                        .isEqualTo(argument.state() == RequiredState.ANY ? "EITHER" : argument.state().name());
            }
            case VALUE, U16, U32 -> assertThat(input.reserved()).as(name).isFalse();
        }
    }

    @Test
    void theImagesAreBuiltFromTheSources(@TempDir Path directory) throws IOException, InterruptedException {
        boolean assembler = new ProcessBuilder("sh", "-c", "command -v aarch64-linux-gnu-as").start().waitFor() == 0;
        assumeTrue(assembler, "aarch64-linux-gnu-as is missing: tools/install-oracles.sh");
        int status = new ProcessBuilder(ROOT.resolve("tools/build-abi-guest.sh").toString(), directory.toString())
                .inheritIO().start().waitFor();

        assertThat(status).isZero();
        for (String name : List.of("abi", "inner")) {
            assertThat(Files.readAllBytes(directory.resolve(name + ".img"))).as(name)
                    .isEqualTo(GuestMachine.image(name));
        }
    }
}
