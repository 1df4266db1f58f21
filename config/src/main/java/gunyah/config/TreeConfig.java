package gunyah.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Where a guest's device tree comes from.
 *
 * @param dtb      blob to use instead of the generated one
 * @param overlays applied to it, in this order
 * @param dump     file that gets the tree instead of a guest that runs
 */
public record TreeConfig(Optional<Path> dtb, List<Path> overlays, Optional<Path> dump) {
    /** The generated tree as it is. */
    public static final TreeConfig GENERATED = new TreeConfig(Optional.empty(), List.of(), Optional.empty());

    public TreeConfig {
        overlays = List.copyOf(overlays);
    }
}
