package gunyah.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationElement;
import java.lang.classfile.AnnotationValue;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.RuntimeInvisibleAnnotationsAttribute;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * docs/invariants.md and docs/rm-invariants.md: what always holds, and which tests show it, as the annotations of the
 * compiled tests say. {@code -Dgunyah.docs.write=true} writes both anew.
 */
class InvariantsTest {
    private static final Path ROOT = Path.of(System.getProperty("gunyah.root"));
    private static final String HEAD = """
            # %s

            Written by `InvariantsTest` from the annotations `@Invariant` of the tests of `%s`; do not edit. To
            write it anew:
            `mvn test -pl load-tests -am -Dtest=InvariantsTest -Dsurefire.failIfNoSpecifiedTests=false \
            -Dgunyah.docs.write=true`.
            A line without a test fails the build.

            | n | what holds | tests |
            |---|---|---|
            """;
    private static final List<String> HYPERVISOR = List.of(
            "a queue hands out what was sent: in order, each message once, no byte changed",
            "a queue holds 0 to depth messages; not_full and not_empty tell exactly if there is room, or something",
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
    /** As the specification of the Resource Manager numbers them. */
    private static final List<String> RESOURCE_MANAGER = List.of(
            "T1 a message split into packets and joined is the same; all packets but the last are full",
            "T2 damaged and foreign packets deliver nothing that was not sent, and the next message is served",
            "T3 every request is answered once, under its id and number, however many wait for a slow client",
            "T4 news for a client keep their order, and come before the answer to the request that caused them",
            "T5 a request that is answered with an error changes nothing, but for a VM that goes to INIT_FAILED",
            "S1 a VM goes along the edges of its graph only, and so do the news of it",
            "S2 when VM_EXITED has come, the VM executes and sends nothing any more",
            "S3 a reset ends with one VM_STATUS(RESET), and then nothing of the VM is left",
            "S4 a VMID is given out once; any VMID is the smallest that is free, and none is lost",
            "S5 a request about a VM that is not its owner's changes nothing",
            "S6 VM_EXITED says how long its reason is, 4 or 16 bytes",
            "M1 every page has one owner, and donations neither gain nor lose one",
            "M2 a page is in one parcel at most",
            "M3 who is not named reaches nothing of a parcel, its owner neither unless it shares it",
            "M4 a borrower reaches a parcel when it has accepted all of it, with no more than its rights",
            "M5 the owner alone reclaims a parcel, and only when nobody holds it; then it has the pages where it had them",
            "M6 a parcel is held by as many VMs as accepted it and did not release it",
            "M7 ACCEPT takes addresses that are free, RELEASE gives exactly these back",
            "M8 pages are zero where the creator, a borrower or the owner asked for it, before the next VM sees them",
            "M9 a request that fails leaves owners, mappings, addresses and counters as they were",
            "M10 a donation is its giver's until it is accepted, and no longer",
            "M11 the Resource Manager maps a parcel only while it works at it, and no VM can write what it reads",
            "M12 a page that the host lends on demand is in one extent, and comes back before RESET",
            "R1 each capability of GET_HYP_RESOURCES works for the caller with its rights, and the list stays",
            "R2 vCPUs are numbered from 0, each with an interrupt of its own that says when it can run",
            "R3 the interrupts of a VM differ from each other and from those its tree fixes",
            "R4 a VM sees no resource whose ends are two others",
            "D1 a completed tree keeps what was in it, has one /hypervisor, and its memory is what is mapped",
            "D2 a damaged or dishonest tree gets no VM to READY or RUNNING",
            "D3 a completed tree fits its room, or the VM does not start");

    @Test
    void everyInvariantOfTheHypervisorIsShownByATest() throws IOException {
        Map<String, String> invariants = new LinkedHashMap<>();
        IntStream.range(0, HYPERVISOR.size()).forEach(i -> invariants.put("" + (i + 1), HYPERVISOR.get(i)));
        compare("docs/invariants.md", "What always holds", "actors-hypervisor", "Lgunyah/hyp/Invariant;", invariants);
    }

    @Test
    void everyInvariantOfTheResourceManagerIsShownByATest() throws IOException {
        Map<String, String> invariants = new LinkedHashMap<>();
        for (String line : RESOURCE_MANAGER) {
            String[] parts = line.split(" ", 2);
            invariants.put(parts[0], parts[1]);
        }
        compare("docs/rm-invariants.md", "What always holds of the Resource Manager", "actors-rm",
                "Lgunyah/rm/Invariant;", invariants);
    }

    private static void compare(String document, String title, String module, String annotation,
            Map<String, String> invariants) throws IOException {
        Map<String, TreeSet<String>> tests = tests(ROOT.resolve(module, "target/test-classes"), annotation);
        assertThat(tests.keySet()).as("invariants with a test")
                .containsExactlyInAnyOrderElementsOf(invariants.keySet());
        StringBuilder page = new StringBuilder(HEAD.formatted(title, module));
        invariants.forEach((number, text) -> page.append("| %s | %s | %s |%n"
                .formatted(number, text, String.join(", ", tests.get(number)))));
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(ROOT.resolve(document), page);
        }
        assertThat(Files.readString(ROOT.resolve(document))).as("%s; write it with -Dgunyah.docs.write=true", document)
                .isEqualTo(page.toString());
    }

    private static Map<String, TreeSet<String>> tests(Path classes, String annotation) throws IOException {
        Map<String, TreeSet<String>> tests = new TreeMap<>();
        List<Path> files;
        try (Stream<Path> walk = Files.walk(classes)) {
            files = walk.filter(file -> file.toString().endsWith("Test.class")).toList();
        }
        for (Path file : files) {
            ClassModel type = ClassFile.of().parse(file);
            String name = file.getFileName().toString().replace(".class", "");
            for (MethodModel method : type.methods()) {
                shown(method, annotation).forEach(number -> tests.computeIfAbsent(number, key -> new TreeSet<>())
                        .add("`%s.%s`".formatted(name, method.methodName().stringValue())));
            }
        }
        return tests;
    }

    /** {@return what a method's annotation of this class lists} */
    private static List<String> shown(MethodModel method, String annotation) {
        return method.findAttribute(Attributes.runtimeInvisibleAnnotations()).stream()
                .map(RuntimeInvisibleAnnotationsAttribute::annotations).flatMap(List::stream)
                .filter(a -> a.className().equalsString(annotation)).map(Annotation::elements).flatMap(List::stream)
                .map(AnnotationElement::value).flatMap(InvariantsTest::values).toList();
    }

    private static Stream<String> values(AnnotationValue value) {
        return switch (value) {
            case AnnotationValue.OfArray array -> array.values().stream().flatMap(InvariantsTest::values);
            case AnnotationValue.OfInt number -> Stream.of("" + number.intValue());
            case AnnotationValue.OfString text -> Stream.of(text.stringValue());
            default -> throw new IllegalArgumentException(value.toString());
        };
    }
}
