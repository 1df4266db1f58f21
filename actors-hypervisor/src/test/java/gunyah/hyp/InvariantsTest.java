package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/invariants.md: what always holds, and which tests show it; {@code -Dgunyah.docs.write=true} writes it anew. */
class InvariantsTest {
    private static final Path PAGE = Path.of("../docs/invariants.md");
    private static final Path CLASSES = Path.of("target/test-classes");
    private static final String HEAD = """
            # What always holds

            Written by `InvariantsTest` from the annotations `@Invariant` of the tests of `actors-hypervisor`; do not edit. To
            write it anew:
            `mvn test -pl actors-hypervisor -am -Dtest=InvariantsTest -Dsurefire.failIfNoSpecifiedTests=false \
            -Dgunyah.docs.write=true`.
            A number without a test fails the build.

            | n | what holds | tests |
            |---|---|---|
            """;
    private static final List<String> INVARIANTS = List.of(
            "a queue hands out what was sent: in order, each message once, no byte changed",
            "a queue holds 0 to depth messages; not_full and not_empty tell exactly whether there is room, or something",
            "a send or receive that fails changes nothing",
            "messages of 1 byte to the largest size are taken, none smaller or larger",
            "a receiver that drains its queue and waits for its interrupt is woken while there is enough to receive",
            "a flush leaves no message, and a sender that waits goes on",
            "the receiver is interrupted at most once for a send; without PUSH only when the threshold is crossed",
            "a doorbell's flag is seen by exactly one receive that clears it, or stays set",
            "a doorbell's interrupt is asserted exactly when an enabled flag is set",
            "flags that are pending when they are enabled again assert",
            "a reset doorbell is as new",
            "a copy of a capability never has a right that its original lacks",
            "after a revocation no copy works, in no capability space",
            "capability ids are unique in their space, and one that was not given out never resolves",
            "an object lives exactly as long as a capability or reference to it",
            "capability errors come in the order: null or revoked, wrong type, missing right, wrong state",
            "a capability space counts its used slots, at most the configured number",
            "every page has exactly one owner, and no donation gains or loses one",
            "a page is mapped only where the extent that owns it recorded it, and no longer when that was taken back",
            "a private page is mapped in one address space; what it held is never read by another VM",
            "a map, unmap or donate that fails changes nothing",
            "unmap takes back exactly what map did; look-up says what a load sees",
            "lending to protected and back restores the owner, and is refused while the page is mapped",
            "no mapping allows more than its extent",
            "a host's access to lent memory aborts as long as it is lent, and only so long",
            "VMMIO ranges are disjoint, 128 at most, and removed only as they were added",
            "at most one caller runs a vCPU; others are told BUSY",
            "an exit for a page or a device is resumed exactly once, with the answer in the register that asked",
            "an exit that says it expects a wake-up is followed by one",
            "a killed vCPU ends as exited and executes nothing more",
            "what PSCI reset was asked for is told before the VM has exited",
            "no instruction is lost or repeated by pre-emption",
            "a runnable thread of the highest priority runs at the next decision",
            "threads of one priority get the same time, within a slice",
            "a lower priority makes no progress while a higher one is runnable on its CPU",
            "a directed yield lasts no longer than the yielder's slice, and nobody runs on two CPUs",
            "no thread runs on a CPU it is not affine to",
            "run times and idle time add up to the time that passed",
            "a pending enabled interrupt reaches a runnable vCPU",
            "an edge is delivered once for all assertions since it was taken, a level as long as it is asserted",
            "a disabled or masked interrupt is not delivered",
            "a vCPU does not sleep in WFI with an interrupt that may be delivered",
            "a timer fires once for each arming, not before its deadline, and not while its vCPU is off",
            "CPU_ON of a vCPU that is on has no effect; the last one of an aggregating group cannot power off",
            "the end of the system, or its reset, stops every vCPU of the group");

    @Test
    void thePageListsEveryInvariantWithItsTests() throws Exception {
        TreeMap<Integer, TreeSet<String>> tests = tests();
        assertThat(tests.keySet()).as("numbers with a test").hasSize(INVARIANTS.size()).first().isEqualTo(1);
        assertThat(tests.lastKey()).isEqualTo(INVARIANTS.size());

        String page = page(tests);
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(PAGE, page);
        }

        assertThat(Files.readString(PAGE)).as("docs/invariants.md; write it with -Dgunyah.docs.write=true")
                .isEqualTo(page);
    }

    private static String page(TreeMap<Integer, TreeSet<String>> tests) {
        StringBuilder page = new StringBuilder(HEAD);
        tests.forEach((number, names) -> page.append("| %d | %s | %s |%n".formatted(number, INVARIANTS.get(number - 1),
                String.join(", ", names))));
        return page.toString();
    }

    private static TreeMap<Integer, TreeSet<String>> tests() throws IOException, ClassNotFoundException {
        TreeMap<Integer, TreeSet<String>> tests = new TreeMap<>();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(CLASSES)) {
            files = walk.filter(file -> file.toString().endsWith("Test.class")).toList();
        }
        for (Path file : files) {
            String name = CLASSES.relativize(file).toString().replace(".class", "").replace('/', '.');
            Class<?> type = Class.forName(name, false, InvariantsTest.class.getClassLoader());
            for (Method method : type.getDeclaredMethods()) {
                Invariant shown = method.getAnnotation(Invariant.class);
                for (int number : shown == null ? new int[0] : shown.value()) {
                    tests.computeIfAbsent(number, key -> new TreeSet<>())
                            .add("`%s.%s`".formatted(type.getSimpleName(), method.getName()));
                }
            }
        }
        return tests;
    }
}
