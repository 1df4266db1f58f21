package gunyah.config.fdt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Overlays, beside fdtoverlay where dtc is installed. */
class DtOverlayTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20_261_125);

    @TempDir
    private Path directory;

    private static DtNode base() {
        DtNode root = new DtNode("").cells("#address-cells", 2);
        root.add("aliases").strings("serial0", "/uart@9000000");
        root.add("uart@9000000").strings("status", "okay").cells("phandle", 7);
        root.add("plain").strings("kept", "yes");
        root.add("__symbols__").strings("uart", "/uart@9000000").strings("plain", "/plain").strings("gone", "/gone");
        return root;
    }

    private static DtNode overlay(String fragment) {
        DtNode root = new DtNode("");
        root.add(fragment).add("__overlay__");
        return root;
    }

    private static DtNode content(DtNode overlay) {
        return overlay.children().getFirst().children().getFirst();
    }

    private static DtNode applied(DtNode overlay) {
        Fdt base = new Fdt(base());
        DtOverlay.apply(new Fdt(overlay), base);
        return Fdt.parse(base.toBytes()).root();
    }

    @Test
    void aTargetPathAnAliasAndAPhandleNameTheTarget() {
        DtNode byPath = overlay("fragment@0");
        byPath.children().getFirst().strings("target-path", "/plain");
        content(byPath).strings("added", "a").add("child@1").flag("here");
        DtNode byAlias = overlay("fragment@0");
        byAlias.children().getFirst().strings("target-path", "serial0");
        content(byAlias).strings("status", "disabled");
        DtNode byPhandle = overlay("fragment@0");
        byPhandle.children().getFirst().cells("target", 7);
        content(byPhandle).strings("status", "disabled");

        DtNode plain = applied(byPath).find("/plain").orElseThrow();
        assertThat(plain.string("kept")).contains("yes");
        assertThat(plain.string("added")).contains("a");
        assertThat(plain.child("child@1").orElseThrow().has("here")).isTrue();
        assertThat(applied(byAlias).find("/uart@9000000").orElseThrow().string("status")).contains("disabled");
        assertThat(applied(byPhandle).find("/uart@9000000").orElseThrow().string("status")).contains("disabled");
    }

    @Test
    void phandlesMoveBehindThoseOfTheBaseAndReferencesFollow() {
        DtNode overlay = overlay("fragment@0");
        overlay.children().getFirst().strings("target-path", "/");
        content(overlay).add("clock").cells("phandle", 1);
        content(overlay).add("user").cells("clocks", 99, 1).cells("uart", -1);
        overlay.add("__local_fixups__").add("fragment@0").add("__overlay__").add("user").cells("clocks", 4);
        overlay.add("__fixups__").strings("uart", "/fragment@0/__overlay__/user:uart:0");
        overlay.add("__symbols__").strings("clock", "/fragment@0/__overlay__/clock");

        DtNode tree = applied(overlay);

        assertThat(tree.find("/clock").orElseThrow().cell("phandle")).contains(8);
        assertThat(tree.find("/user").orElseThrow().cells("clocks").orElseThrow()).containsExactly(99, 8);
        assertThat(tree.find("/user").orElseThrow().cell("uart")).contains(7);
        assertThat(tree.find("/__symbols__").orElseThrow().string("clock")).contains("/clock");
        assertThat(tree.child("__fixups__")).isEmpty();
    }

    /** Something in the base may refer to it. */
    @Test
    void aNodeOfTheBaseKeepsItsPhandle() {
        DtNode overlay = overlay("fragment@0");
        overlay.children().getFirst().strings("target-path", "/");
        content(overlay).add("uart@9000000").cells("phandle", 1);
        content(overlay).add("user").cells("uart", 1);
        overlay.add("__local_fixups__").add("fragment@0").add("__overlay__").add("user").cells("uart", 0);

        DtNode tree = applied(overlay);

        assertThat(tree.find("/uart@9000000").orElseThrow().cell("phandle")).contains(7);
        assertThat(tree.find("/user").orElseThrow().cell("uart")).contains(7);
    }

    @Test
    void whatDoesNotFitSaysWhy() {
        DtNode nowhere = overlay("fragment@0");
        nowhere.children().getFirst().strings("target-path", "/nowhere");
        DtNode unknown = overlay("fragment@0");
        unknown.children().getFirst().cells("target", 0x55);
        DtNode alias = overlay("fragment@0");
        alias.children().getFirst().strings("target-path", "serial9");
        DtNode place = overlay("fragment@0");
        place.add("__fixups__").strings("uart", "/fragment@0:target:x");
        DtNode far = overlay("fragment@0");
        content(far).cells("a", 1);
        far.add("__local_fixups__").add("fragment@0").add("__overlay__").cells("a", 2);

        refused(new DtNode(""), "it has no fragment");
        refused(overlay("fragment@3"), "fragment@3 has neither target nor target-path");
        refused(nowhere, "the target /nowhere, which is not there");
        refused(unknown, "the target phandle 0x55, which no node of the tree has");
        refused(alias, "'serial9', which is neither a path nor an alias");
        refused(place, "not PATH:PROPERTY:OFFSET");
        refused(far, "byte 2 of /fragment@0/__overlay__:a, which has 4");
        refused(labelled("other"), "the tree has no label 'other'");
        refused(labelled("plain"), "label 'plain' is for /plain, which has no phandle");
        refused(labelled("gone"), "label 'gone' is for /gone, which is not there");
        Fdt bare = new Fdt(new DtNode(""));
        assertThatThrownBy(() -> DtOverlay.apply(new Fdt(labelled("uart")), bare))
                .hasMessageContaining("no __symbols__; compile that with dtc -@");
    }

    private static DtNode labelled(String label) {
        DtNode overlay = overlay("fragment@0");
        overlay.children().getFirst().cells("target", -1);
        overlay.add("__fixups__").strings(label, "/fragment@0:target:0");
        return overlay;
    }

    private static void refused(DtNode overlay, String words) {
        assertThatThrownBy(() -> applied(overlay)).isInstanceOf(Fdt.FdtException.class).hasMessageContaining(words);
    }

    @Test
    void damagedOverlaysAreRefusedOrApplied() {
        DtNode overlay = labelled("uart");
        content(overlay).add("x@1").cells("phandle", 1);
        content(overlay).cells("ref", 1);
        overlay.add("__local_fixups__").add("fragment@0").add("__overlay__").cells("ref", 0);
        overlay.add("__symbols__").strings("x", "/fragment@0/__overlay__/x@1");
        byte[] whole = new Fdt(overlay).toBytes();
        System.out.println("seed " + SEED);
        Random random = new Random(SEED);
        int applied = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] blob = whole.clone();
            for (int n = random.nextInt(1, 4); n > 0; n--) {
                blob[random.nextInt(blob.length)] = (byte) random.nextInt();
            }
            try {
                DtOverlay.apply(Fdt.parse(blob), new Fdt(base()));
                applied++;
            } catch (Fdt.FdtException refused) {
                // says why
            }
        }
        assertThat(applied).isBetween(100, 19_900);
    }

    // ---- beside fdtoverlay

    @Test
    void treesAreThoseOfFdtoverlay() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/fdtoverlay")), "fdtoverlay is absent: install dtc");
        System.out.println("seed " + SEED);
        Random random = new Random(SEED);
        for (int round = 0; round < 12; round++) {
            int nodes = random.nextInt(2, 7);
            Path base = compile("base", baseSource(random, nodes));
            Path overlay = compile("overlay", overlaySource(random, nodes));
            Path theirs = directory.resolve("theirs.dtb");
            run("fdtoverlay", "-i", base.toString(), "-o", theirs.toString(), overlay.toString());

            Fdt tree = Fdt.parse(Files.readAllBytes(base));
            DtOverlay.apply(Fdt.parse(Files.readAllBytes(overlay)), tree);
            Path ours = Files.write(directory.resolve("ours.dtb"), tree.toBytes());

            assertThat(sorted(ours)).as("round " + round).isEqualTo(sorted(theirs));
        }
    }

    private static String baseSource(Random random, int nodes) {
        StringBuilder text = new StringBuilder("/dts-v1/;\n/ { aliases { first = \"/n0\"; };\n");
        for (int i = 0; i < nodes; i++) {
            text.append("l%d: n%d { value = <%d>; peer = <&l%d>; sub@%d { s; }; };\n"
                    .formatted(i, i, random.nextInt(100), random.nextInt(nodes), i));
        }
        return text.append("};\n").toString();
    }

    private static String overlaySource(Random random, int nodes) {
        StringBuilder text = new StringBuilder("/dts-v1/;\n/plugin/;\n/ {\n");
        int fragments = random.nextInt(1, 4);
        List<String> targets = new ArrayList<>();
        for (int i = 0; i < fragments; i++) {
            int node = random.nextInt(nodes);
            targets.add(switch (random.nextInt(3)) {
                case 0 -> "target = <&l%d>;".formatted(node);
                case 1 -> "target-path = \"/n%d\";".formatted(node);
                default -> "target-path = \"/\";";
            });
        }
        for (int i = 0; i < fragments; i++) {
            text.append("fragment@%d { %s __overlay__ { value = <%d>; o%d: new%d@%d { peers = <1 &l%d &o%d 2 &o%d>; };\n"
                    .formatted(i, targets.get(i), random.nextInt(100), i, i, i, random.nextInt(nodes),
                            random.nextInt(fragments), i));
            text.append("sub@%d { t = <&o%d>; }; }; };\n".formatted(random.nextInt(nodes), i));
        }
        return text.append("};\n").toString();
    }

    private Path compile(String name, String source) throws IOException, InterruptedException {
        Path file = Files.writeString(directory.resolve(name + ".dts"), source);
        Path blob = directory.resolve(name + ".dtb");
        run("dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", blob.toString(), file.toString());
        return blob;
    }

    private String sorted(Path blob) throws IOException, InterruptedException {
        Path text = directory.resolve("text.dts");
        run("dtc", "-q", "-s", "-I", "dtb", "-O", "dts", "-o", text.toString(), blob.toString());
        return Files.readString(text);
    }

    private void run(String... command) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        assertThat(process.waitFor()).as(String.join(" ", command) + "\n" + Files.readString(output)).isZero();
    }
}
