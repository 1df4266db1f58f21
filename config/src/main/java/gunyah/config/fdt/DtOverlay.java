package gunyah.config.fdt;

import gunyah.config.fdt.Fdt.FdtException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Applies a device-tree overlay, as {@code dtc -@} writes it (dtc's Documentation/dt-object-internal.txt): its phandles
 * move behind those of the base, references to labels of the base are resolved, then every fragment is merged into its
 * target. Works like fdtoverlay, but a node of the base keeps the phandle it has.
 */
public final class DtOverlay {
    private static final List<String> PHANDLES = List.of("phandle", "linux,phandle");
    private static final String SYMBOLS = "__symbols__";
    private static final String CONTENT = "__overlay__";
    private static final int NO_PHANDLE = -1;

    private final DtNode overlay;
    private final DtNode base;
    /** Largest phandle of the base; the overlay's follow. */
    private final int shift;

    private DtOverlay(DtNode overlay, DtNode base) {
        this.overlay = overlay;
        this.base = base;
        this.shift = largestPhandle(base);
    }

    /**
     * Changes {@code base}. The overlay is used up.
     *
     * @throws FdtException when it does not fit; {@code base} may be changed in part then
     */
    public static void apply(Fdt overlay, Fdt base) {
        new DtOverlay(overlay.root(), base.root()).apply();
    }

    private void apply() {
        List<DtNode> fragments = overlay.children().stream().filter(node -> node.child(CONTENT).isPresent()).toList();
        if (fragments.isEmpty()) {
            throw new FdtException("no overlay: it has no fragment with a node " + CONTENT);
        }
        movePhandles(overlay);
        overlay.child("__local_fixups__").ifPresent(fixups -> moveReferences(fixups, overlay, ""));
        overlay.child("__fixups__").ifPresent(this::resolveLabels);
        Map<String, String> targets = new HashMap<>();
        for (DtNode fragment : fragments) {
            String path = target(fragment);
            DtNode node = base.find(path).orElseThrow(() -> new FdtException(
                    "%s has the target %s, which is not there".formatted(fragment.name(), path)));
            keepPhandles(fragment.child(CONTENT).orElseThrow(), node);
            targets.put(fragment.name(), path);
        }
        for (DtNode fragment : fragments) {
            merge(fragment.child(CONTENT).orElseThrow(), base.find(targets.get(fragment.name())).orElseThrow());
        }
        overlay.child(SYMBOLS).ifPresent(symbols -> addSymbols(symbols, targets));
    }

    private static int largestPhandle(DtNode node) {
        int largest = 0;
        for (String name : PHANDLES) {
            int phandle = node.cell(name).orElse(0);
            largest = phandle == NO_PHANDLE ? largest : larger(largest, phandle);
        }
        for (DtNode child : node.children()) {
            largest = larger(largest, largestPhandle(child));
        }
        return largest;
    }

    private static int larger(int a, int b) {
        return Integer.compareUnsigned(a, b) >= 0 ? a : b;
    }

    private void movePhandles(DtNode node) {
        for (String name : PHANDLES) {
            if (node.has(name)) {
                node.cells(name, moved(node.cell(name).orElseThrow(() -> new FdtException(
                        "%s has a %s that is no cell".formatted(node.name(), name)))));
            }
        }
        node.children().forEach(this::movePhandles);
    }

    private int moved(int phandle) {
        int result = phandle + shift;
        if (Integer.compareUnsigned(result, phandle) < 0 || result == NO_PHANDLE) {
            throw new FdtException("no phandles are left for it");
        }
        return result;
    }

    /** A node of the fixups has the name of a node of the overlay, and lists places of phandles in its properties. */
    private void moveReferences(DtNode fixups, DtNode node, String path) {
        fixups.properties().forEach((property, places) -> {
            if (places.length % 4 != 0) {
                throw new FdtException("__local_fixups__ of %s:%s are no cells".formatted(path, property));
            }
            ByteBuffer offsets = ByteBuffer.wrap(places);
            while (offsets.hasRemaining()) {
                int offset = offsets.getInt();
                patch(node, path, property, offset, moved(cellAt(node, path, property, offset)));
            }
        });
        for (DtNode child : fixups.children()) {
            DtNode real = exact(node, child.name()).orElseThrow(() -> new FdtException(
                    "__local_fixups__ name %s/%s, which is not there".formatted(path, child.name())));
            moveReferences(child, real, path + "/" + child.name());
        }
    }

    private static Optional<DtNode> exact(DtNode node, String name) {
        return node.children().stream().filter(child -> child.name().equals(name)).findFirst();
    }

    private static ByteBuffer value(DtNode node, String path, String property, int offset) {
        byte[] bytes = node.bytes(property).orElseThrow(() -> new FdtException(
                "fixups name %s:%s, which is not there".formatted(path, property)));
        if (offset < 0 || offset > bytes.length - 4) {
            throw new FdtException("fixups name byte %s of %s:%s, which has %d"
                    .formatted(Integer.toUnsignedString(offset), path, property, bytes.length));
        }
        return ByteBuffer.wrap(bytes);
    }

    private static int cellAt(DtNode node, String path, String property, int offset) {
        return value(node, path, property, offset).getInt(offset);
    }

    private static void patch(DtNode node, String path, String property, int offset, int phandle) {
        node.set(property, value(node, path, property, offset).putInt(offset, phandle).array());
    }

    private void resolveLabels(DtNode fixups) {
        for (String label : fixups.properties().keySet()) {
            int phandle = phandleOf(label);
            List<String> places = fixups.strings(label);
            if (places.isEmpty()) {
                throw new FdtException("the fixups of label '%s' are no strings".formatted(label));
            }
            for (String place : places) {
                resolve(label, place, phandle);
            }
        }
    }

    private int phandleOf(String label) {
        DtNode symbols = base.child(SYMBOLS).orElseThrow(() -> new FdtException(
                "it refers to label '%s', but the tree has no %s; compile that with dtc -@, or use target-path"
                        .formatted(label, SYMBOLS)));
        String path = symbols.string(label).orElseThrow(() -> new FdtException(
                "the tree has no label '%s'".formatted(label)));
        DtNode node = base.find(path).orElseThrow(() -> new FdtException(
                "label '%s' is for %s, which is not there".formatted(label, path)));
        return PHANDLES.stream().flatMap(name -> node.cell(name).stream()).findFirst().orElseThrow(
                () -> new FdtException("label '%s' is for %s, which has no phandle".formatted(label, path)));
    }

    private void resolve(String label, String place, int phandle) {
        String[] parts = place.split(":", -1);
        if (parts.length != 3 || !parts[2].matches("[0-9]{1,9}")) {
            throw new FdtException("label '%s' has the fixup '%s', which is not PATH:PROPERTY:OFFSET"
                    .formatted(label, place));
        }
        DtNode node = overlay.find(parts[0]).orElseThrow(() -> new FdtException(
                "label '%s' is to go to %s, which is not there".formatted(label, parts[0])));
        patch(node, parts[0], parts[1], Integer.parseInt(parts[2]), phandle);
    }

    private String target(DtNode fragment) {
        Optional<Integer> phandle = fragment.cell("target");
        if (phandle.isPresent()) {
            return path(base, "", phandle.get()).map(path -> path.isEmpty() ? "/" : path).orElseThrow(
                    () -> new FdtException("%s has the target phandle 0x%x, which no node of the tree has"
                            .formatted(fragment.name(), phandle.get())));
        }
        String path = fragment.string("target-path").orElseThrow(() -> new FdtException(
                "%s has neither target nor target-path".formatted(fragment.name())));
        if (path.startsWith("/")) {
            return path;
        }
        int end = path.indexOf('/');
        String alias = end < 0 ? path : path.substring(0, end);
        String rest = end < 0 ? "" : path.substring(end);
        return base.child("aliases").flatMap(aliases -> aliases.string(alias)).map(found -> found + rest).orElseThrow(
                () -> new FdtException("%s has the target-path '%s', which is neither a path nor an alias"
                        .formatted(fragment.name(), path)));
    }

    private static Optional<String> path(DtNode node, String path, int phandle) {
        if (PHANDLES.stream().anyMatch(name -> node.cell(name).filter(cell -> cell == phandle).isPresent())) {
            return Optional.of(path);
        }
        return node.children().stream().flatMap(child -> path(child, path + "/" + child.name(), phandle).stream())
                .findFirst();
    }

    /** What the overlay refers to is in the base already, under another phandle: its references follow. */
    private void keepPhandles(DtNode from, DtNode to) {
        Optional<Integer> here = to.cell("phandle");
        Optional<Integer> there = from.cell("phandle");
        if (here.isPresent() && there.isPresent()) {
            overlay.child("__local_fixups__").ifPresent(
                    fixups -> redirect(fixups, overlay, there.get(), here.get()));
            PHANDLES.stream().filter(from::has).forEach(name -> from.cells(name, here.get()));
        }
        for (DtNode child : from.children()) {
            to.child(child.name()).ifPresent(same -> keepPhandles(child, same));
        }
    }

    private static void redirect(DtNode fixups, DtNode node, int from, int to) {
        fixups.properties().forEach((property, places) -> {
            ByteBuffer offsets = ByteBuffer.wrap(places);
            while (offsets.hasRemaining()) {
                int offset = offsets.getInt();
                if (cellAt(node, "", property, offset) == from) {
                    patch(node, "", property, offset, to);
                }
            }
        });
        fixups.children().forEach(child -> redirect(child, exact(node, child.name()).orElseThrow(), from, to));
    }

    private static void merge(DtNode from, DtNode to) {
        from.properties().forEach(to::set);
        for (DtNode child : from.children()) {
            merge(child, to.child(child.name()).orElseGet(() -> to.add(child.name())));
        }
    }

    /** Labels of the overlay become labels of the tree, at the place their nodes went to. */
    private void addSymbols(DtNode symbols, Map<String, String> targets) {
        DtNode all = base.childOrAdd(SYMBOLS);
        symbols.properties().forEach((label, value) -> {
            String path = new String(value, StandardCharsets.UTF_8).replaceAll("\0$", "");
            String[] parts = path.split("/", 4);
            if (parts.length < 3 || !parts[2].equals(CONTENT)) {
                return;
            }
            String target = targets.get(parts[1]);
            if (target == null) {
                throw new FdtException("label '%s' is for %s, which is in no fragment".formatted(label, path));
            }
            String rest = parts.length == 4 ? "/" + parts[3] : "";
            all.strings(label, target.equals("/") && !rest.isEmpty() ? rest : target + rest);
        });
    }
}
