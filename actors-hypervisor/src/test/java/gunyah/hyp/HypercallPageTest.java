package gunyah.hyp;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.hyp.HypercallArgument.Kind;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** docs/hypercalls.md is the table; {@code -Dgunyah.docs.write=true} writes it anew. */
class HypercallPageTest {
    private static final Path PAGE = Path.of("../docs/hypercalls.md");
    private static final HypercallTable TABLE = new HypercallTable(Hypervisor.groups(null, null, null, null));
    private static final String HEAD = """
            # Hypercalls

            Written by `HypercallPageTest` from the table that dispatches the calls; do not edit. To write it anew:
            `mvn test -pl actors-hypervisor -am -Dtest=HypercallPageTest -Dsurefire.failIfNoSpecifiedTests=false \
            -Dgunyah.docs.write=true`.

            Call n is `HVC #(0x6000 + n)` with inputs from X0 and results from X0, or `HVC #0`/`SMC #0` with the SMCCC
            function id `0xC6008000 | n` in W0, inputs from X1 and results from X0. X0 is the error, 0 for success, unless
            said otherwise. `=0` and `=-1` are reserved inputs, checked in native calls only; `:32` and `:16` say that only
            so many low bits count. A capability answers ARGUMENT_INVALID (no id of this cspace), CSPACE_CAP_NULL,
            CSPACE_CAP_REVOKED, CSPACE_WRONG_OBJECT_TYPE, CSPACE_INSUFFICIENT_RIGHTS or OBJECT_STATE, in this order, before
            the call's own errors. Every call and every answer is also made as guest code, by the scripts of `GuestAbiTest`;
            the last column names the classes that look closest.

            """;
    private static final String ABSENT_HEAD = """

            ## Numbers that answer -1

            | n | name | why |
            |---|---|---|
            """;
    /** Numbers of the public interfaces, older and newer, that are not served. */
    private static final Map<Integer, String> ABSENT = new TreeMap<>(Map.ofEntries(
            Map.entry(0x08, "reserved | reserved"), Map.entry(0x16, "reserved | reserved"),
            Map.entry(0x1E, "reserved | reserved"),
            Map.entry(0x33, "memextent_donate | the documents' number; the code's is 61"),
            Map.entry(0x09, "partition_create_watchdog | no watchdog: feature bit 8 is 0"),
            Map.entry(0x58, "watchdog_configure | no watchdog"),
            Map.entry(0x40, "watchdog_attach_vcpu | no watchdog"),
            Map.entry(0x41, "watchdog_bind_virq | no watchdog"),
            Map.entry(0x42, "watchdog_unbind_virq | no watchdog"),
            Map.entry(0x63, "watchdog_manage | no watchdog"),
            Map.entry(0x6A, "addrspace_find_info_area | newer than what a v17 host or its guests call"),
            Map.entry(0x6B, "addrspace_info_area_add_entry | newer"),
            Map.entry(0x77, "addrspace_info_area_get_entry | newer"),
            Map.entry(0x85, "vcpu_set_local_virq | newer; the timers are PPI 27 and 30"),
            Map.entry(0x6E, "vpci_attach | no PCI"), Map.entry(0x6F, "vpm_group_wakeup | newer"),
            Map.entry(0x70, "power_system_suspend | no power control"),
            Map.entry(0x72, "vgic_its_bind_devices | no ITS"), Map.entry(0x73, "vgic_its_unbind_devices | no ITS"),
            Map.entry(0x74, "vpm_group_bind_power | no power control"),
            Map.entry(0x80, "sdei_get_error_flags | no SDEI"),
            Map.entry(0x83, "vpm_group_set_threshold | no power control"),
            Map.entry(0x84, "power_cpu_suspend | no power control"),
            Map.entry(0x90, "viommu_bind_streams | no SMMU"), Map.entry(0x91, "viommu_unbind_streams | no SMMU")));
    private static final String SMCCC_HEAD = """

            ## Other SMCCC services

            By `HVC #0` and `SMC #0`. An SMC32 call takes the low 32 bits of its inputs and zero extends 32 bits of result.
            PSCI answers -1 to a vCPU that is in no VPM group, but for PSCI_FEATURES of SMCCC_VERSION. Whatever is not here
            answers -1 in 64 bits and changes no other register. `PsciTest`, `HypercallTableTest` and `abi.PlatformScript`
            make these calls.

            | SMC32 id | SMC64 id | name | inputs | results |
            |---|---|---|---|---|
            """;

    @Test
    void thePageInTheDocumentationIsTheTable() throws IOException {
        String page = page();
        if (Boolean.getBoolean("gunyah.docs.write")) {
            Files.writeString(PAGE, page);
        }

        assertThat(Files.readString(PAGE)).as("docs/hypercalls.md; write it with -Dgunyah.docs.write=true")
                .isEqualTo(page);
    }

    @Test
    void everyInputAndResultHasItsName() {
        for (HypercallRow row : rows()) {
            long inputs = row.arguments().stream().filter(argument -> !reserved(argument)).count();
            assertThat(row.words().inputs()).as(row.name()).hasSize((int) inputs);
            assertThat(row.words().outputs()).as(row.name()).hasSize(row.results());
            assertThat(row.words().errors()).as(row.name()).doesNotHaveDuplicates().doesNotContain(HypError.OK);
        }
    }

    @Test
    void everyCallNamesATestThatMakesIt() {
        for (HypercallRow row : rows()) {
            List<String> classes = HypercallEvidence.of(row.number());
            assertThat(classes).as("tests of %s (0x%02x)", row.name(), row.number()).isNotEmpty();
            assertThat(classes).as("classes with the number of %s (0x%02x)", row.name(), row.number())
                    .allMatch(name -> HypercallEvidence.makes(name, row.number()));
        }
    }

    @Test
    void whatIsSaidToBeAbsentIsAHole() {
        assertThat(ABSENT.keySet()).allMatch(number -> TABLE.row(number) == null);
    }

    private static List<HypercallRow> rows() {
        List<HypercallRow> rows = new ArrayList<>();
        for (int number = 0; number < HypercallRow.TABLE_SIZE; number++) {
            if (TABLE.row(number) != null) {
                rows.add(TABLE.row(number));
            }
        }
        return rows;
    }

    private static String page() {
        StringBuilder page = new StringBuilder(HEAD);
        page.append("| n | SMCCC id | name | inputs | objects: right, state | results | errors of the call | tests |\n"
                + "|---|---|---|---|---|---|---|---|\n");
        rows().forEach(row -> page.append(line(row)));
        page.append(ABSENT_HEAD);
        ABSENT.forEach((number, text) -> page.append("| %02x | %s |%n".formatted(number, text)));
        page.append(SMCCC_HEAD);
        for (SmcccFunction function : SmcccFunction.values()) {
            String wide = function.hasWideForm() ? "0x%08X".formatted(function.id() | 1 << 30) : "";
            page.append("| 0x%08X | %s | %s | %s | %s |%n".formatted(function.id(), wide, function.name(),
                    function.inputs(), function.results()).replace("|  |", "| |").replace("|  |", "| |"));
        }
        return page.toString();
    }

    private static String line(HypercallRow row) {
        String results = String.join(", ", row.words().outputs());
        if (row.successX0() != 0) {
            results = "X0 = 0x%x; ".formatted(row.successX0()) + results;
        }
        if (row.errorResult() != 0) {
            results += " (%d on failure)".formatted(row.errorResult());
        }
        String errors = row.words().errors().stream().map(HypError::name).collect(Collectors.joining(", "));
        String tests = HypercallEvidence.of(row.number()).stream().map("`%s`"::formatted)
                .collect(Collectors.joining(", "));
        return "| %02x | 0x%08X | %s | %s | %s | %s | %s | %s |%n".formatted(row.number(),
                Smccc.HYPERCALL | row.number(), row.name(), inputs(row), objects(row), results, errors, tests)
                .replace("|  |", "| |").replace("|  |", "| |");
    }

    private static String inputs(HypercallRow row) {
        List<String> inputs = new ArrayList<>();
        int named = 0;
        for (HypercallArgument argument : row.arguments()) {
            inputs.add(switch (argument.kind()) {
                case RES0 -> "=0";
                case RES1 -> "=-1";
                case VALUE, CAPABILITY -> row.words().inputs().get(named++);
                case U32 -> row.words().inputs().get(named++) + ":32";
                case U16 -> row.words().inputs().get(named++) + ":16";
            });
        }
        return String.join(", ", inputs);
    }

    private static String objects(HypercallRow row) {
        List<String> objects = new ArrayList<>();
        for (HypercallArgument argument : row.arguments()) {
            if (argument.kind() == Kind.CAPABILITY) {
                String type = argument.type() == null ? "any" : argument.type().name();
                String state = argument.state() == RequiredState.ANY ? ""
                        : ", " + argument.state().name().toLowerCase(Locale.ROOT);
                objects.add("%s: %s%s".formatted(type, rights(argument), state));
            }
        }
        if (!row.words().note().isEmpty()) {
            objects.add(row.words().note());
        }
        return String.join("; ", objects);
    }

    private static String rights(HypercallArgument argument) {
        List<String> names = new ArrayList<>();
        int left = argument.rights();
        String prefix = argument.type() == null ? "OBJECT_" : argument.type().name() + "_";
        for (Field field : Rights.class.getFields()) {
            int bit = value(field);
            boolean any = field.getName().equals("OBJECT_ACTIVATE");
            if (Integer.bitCount(bit) == 1 && (left & bit) != 0 && (any || field.getName().startsWith(prefix))) {
                names.add(any ? "OBJECT_ACTIVATE" : field.getName().substring(prefix.length()));
                left &= ~bit;
            }
        }
        assertThat(left).as("rights without a name").isZero();
        return names.isEmpty() ? "no right" : String.join("+", names);
    }

    private static int value(Field field) {
        try {
            return field.getInt(null);
        } catch (IllegalAccessException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean reserved(HypercallArgument argument) {
        return argument.kind() == Kind.RES0 || argument.kind() == Kind.RES1;
    }
}
