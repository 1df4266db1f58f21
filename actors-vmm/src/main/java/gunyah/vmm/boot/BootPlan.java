package gunyah.vmm.boot;

import gunyah.config.BadInput;
import gunyah.config.MemoryConfig;
import gunyah.config.VmConfig;
import gunyah.config.fdt.Fdt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Everything a VM starts with: where it is entered, its device tree's place, the bytes of its memory.
 *
 * @param entry   guest physical address of the first instruction
 * @param dtbGpa  device tree
 * @param dtbRoom bytes set aside for it, what the Resource Manager adds included; a multiple of 4096
 * @param lent    that room, widened to the granule of memory that is shared otherwise
 * @param chunks  bytes by address, the device tree last
 */
public record BootPlan(long entry, long dtbGpa, long dtbRoom, Ram lent, List<GuestImage.Chunk> chunks) {
    private static final long PAGE = 4096;
    /** The arm64 boot protocol's limit. */
    private static final long MAX_DTB = 2L << 20;
    private static final long MIN_DTB_ROOM = 64 << 10;
    /** The Resource Manager patches in place and needs about twice the final size. */
    private static final int DTB_GROWTH = 4;
    /**
     * For Linux with virtio devices: 16 MiB of the shared memory are for copies, and it is not used for anything else
     * however short memory gets, since nothing there can be executed.
     */
    private static final String SHARED_MEMORY = " swiotlb=8192 \"sysctl.vm.lowmem_reserve_ratio=1 256 32 0\"";

    /**
     * Reads the user's files and places them: kernel low, device tree at the end of RAM, initrd below it; firmware at its
     * fixed address with the device tree at the start of RAM.
     *
     * @throws BadInput for whatever cannot work
     */
    public static BootPlan of(VmConfig config, Ram ram, GuestTree.Places places) {
        KernelLoader loader = new KernelLoader(ram);
        GuestImage image = config.kernel()
                .map(path -> loader.kernel(path.toString(), bytes("kernel", path)))
                .orElseGet(() -> firmware(loader, config));
        byte[] initrd = config.initrd().map(path -> bytes("initrd", path)).orElse(new byte[0]);
        if (config.initrd().isPresent() && initrd.length == 0) {
            throw new BadInput("initrd %s is empty".formatted(config.initrd().get()));
        }
        if (initrd.length > 0 && config.firmware().isPresent()) {
            throw new BadInput("an initrd needs a kernel; firmware loads its own");
        }
        GuestTree tree = new GuestTree(config.name(), config.cpus(), ram, places);
        // The tree's size does not depend on the addresses in it, so a first one tells the room.
        long room = room(tree(tree, places, config, initrd.length, ram.base(), ram).toBytes().length);
        long dtbGpa = config.firmware().isPresent() ? ram.base() : ram.end() - room;
        Ram lent = lent(config.memory(), dtbGpa, room);
        long initrdGpa = lent.base() - initrd.length & -PAGE;
        checkRoom(config, ram, image, lent, initrd.length == 0 ? lent.base() : initrdGpa);
        byte[] dtb = tree(tree, places, config, initrd.length, initrdGpa, lent).toBytes();
        List<GuestImage.Chunk> chunks = new ArrayList<>(image.chunks());
        if (initrd.length > 0) {
            chunks.add(GuestImage.Chunk.of(initrdGpa, initrd));
        }
        chunks.add(GuestImage.Chunk.of(dtbGpa, dtb));
        return new BootPlan(image.entry(), dtbGpa, room, lent, List.copyOf(chunks));
    }

    /** The folios of the device tree. In memory that is shared nothing else may be there: they are lent all the same. */
    private static Ram lent(MemoryConfig memory, long dtbGpa, long room) {
        long granule = memory.isProtected() ? PAGE : memory.granule();
        long start = dtbGpa & -granule;
        return new Ram(start, (dtbGpa + room + granule - 1 & -granule) - start);
    }

    /** {@return the device tree} */
    public GuestImage.Chunk dtb() {
        return chunks.getLast();
    }

    private static GuestImage firmware(KernelLoader loader, VmConfig config) {
        Path path = config.firmware().orElseThrow();
        return loader.firmware(path.toString(), bytes("firmware", path));
    }

    private static Fdt tree(GuestTree tree, GuestTree.Places places, VmConfig config, long initrdSize,
            long initrdGpa, Ram lent) {
        Optional<GuestTree.Initrd> initrd = initrdSize == 0 ? Optional.empty()
                : Optional.of(new GuestTree.Initrd(initrdGpa, initrdGpa + initrdSize));
        Fdt made;
        if (config.tree().dtb().isEmpty()) {
            String bounced = places.virtio().count() > 0 && places.virtio().isRestricted() ? SHARED_MEMORY : "";
            made = tree.generate((console(places) + bounced + " " + config.commandLine()).strip(), initrd);
        } else {
            Path path = config.tree().dtb().get();
            made = tree.complete(path.toString(), bytes("device tree", path), config.commandLine(), initrd);
        }
        for (Path overlay : config.tree().overlays()) {
            GuestTree.overlay(made, overlay.toString(), bytes("device tree overlay", overlay));
        }
        if (!config.memory().isProtected()) {
            made.reservations().add(new Fdt.Reservation(lent.base(), lent.size()));
        }
        return made;
    }

    private static String console(GuestTree.Places places) {
        return switch (places.serial()) {
            case PL011 -> "console=ttyAMA0";
            case NS16550A -> "console=ttyS0";
            case VIRTIO -> "console=hvc0";
        };
    }

    private static long room(int dtbSize) {
        if (dtbSize > MAX_DTB) {
            throw new BadInput("the device tree has %d bytes, the most is %d".formatted(dtbSize, MAX_DTB));
        }
        long wanted = Math.max(MIN_DTB_ROOM, (long) dtbSize * DTB_GROWTH);
        return Math.min(MAX_DTB, wanted + PAGE - 1 & -PAGE);
    }

    private static void checkRoom(VmConfig config, Ram ram, GuestImage image, Ram lent, long lowest) {
        boolean fits = lent.base() == ram.base() ? lent.end() <= image.base() : image.end() <= lowest;
        if (lowest < ram.base() || !fits) {
            long needed = image.end() - ram.base() + (ram.end() - lowest);
            throw new BadInput(("VM %s: kernel, initrd and device tree need %d MiB, it has %d MiB of memory; "
                    + "give it more").formatted(config.name(), needed + (1 << 20) - 1 >> 20, ram.size() >> 20));
        }
    }

    private static byte[] bytes(String what, Path path) {
        try {
            if (Files.isDirectory(path)) {
                throw new BadInput("%s %s is a directory".formatted(what, path));
            }
            return Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new BadInput("%s %s does not exist".formatted(what, path), e);
        } catch (IOException e) {
            throw new BadInput("%s %s cannot be read: %s".formatted(what, path, e.getMessage()), e);
        } catch (OutOfMemoryError e) {
            throw new BadInput("%s %s is too large".formatted(what, path), e);
        }
    }
}
