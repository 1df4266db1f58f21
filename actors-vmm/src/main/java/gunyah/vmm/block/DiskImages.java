package gunyah.vmm.block;

import gunyah.config.BadInput;
import gunyah.config.DiskConfig;
import gunyah.config.DiskConfig.Format;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Opens the images of disks. A format is told by the user, an image that backs another's by that one, else by a name in
 * .qcow2; never by what is in a file, because a guest could write a header into a raw disk that names a file of ours.
 */
public final class DiskImages {
    private static final int MAX_DEPTH = 16;

    private DiskImages() {
    }

    /** Opens a disk's image. Blocks. @throws BadInput when the file cannot be one */
    public static DiskImage open(DiskConfig disk) {
        return open(disk.file(), disk.readOnly(), disk.format().orElseGet(() -> formatOf(disk.file())), 0);
    }

    private static Format formatOf(Path file) {
        return file.toString().endsWith(".qcow2") ? Format.QCOW2 : Format.RAW;
    }

    private static DiskImage open(Path file, boolean readOnly, Format format, int depth) {
        if (depth > MAX_DEPTH) {
            throw new BadInput("disk %s is backed by itself, or through too many files".formatted(file));
        }
        return format == Format.RAW ? RawImage.open(file, readOnly) : openQcow2(file, readOnly, depth);
    }

    private static DiskImage openQcow2(Path file, boolean readOnly, int depth) {
        FileHoles holes = RawImage.holes(file, readOnly);
        FileChannel channel = RawImage.channel(file, holes, readOnly);
        Optional<DiskImage> backing = Optional.empty();
        try {
            Qcow2Header header = Qcow2Header.read(channel);
            if (header.dirty() && !readOnly) {
                throw new IOException("its writer did not end well: run qemu-img check -r all on it");
            }
            backing = backing(file, header, depth);
            return new Qcow2Image(channel, holes, header, backing, readOnly);
        } catch (IOException | BadInput e) {
            closeAll(channel, holes, backing);
            throw e instanceof BadInput bad ? bad : new BadInput("disk %s: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static Optional<DiskImage> backing(Path file, Qcow2Header header, int depth) {
        if (header.backingFile().isEmpty()) {
            return Optional.empty();
        }
        Path path;
        try {
            path = file.toAbsolutePath().resolveSibling(header.backingFile().get());
        } catch (InvalidPathException e) {
            throw new BadInput("disk %s: the name of its backing file is none".formatted(file), e);
        }
        Format format = header.backingFormat().map(name -> switch (name) {
            case "raw" -> Format.RAW;
            case "qcow2" -> Format.QCOW2;
            default -> throw new BadInput("disk %s: a backing file of format %s".formatted(file, name));
        }).orElseGet(() -> formatOf(path));
        return Optional.of(open(path, true, format, depth + 1));
    }

    private static void closeAll(FileChannel channel, FileHoles holes, Optional<DiskImage> backing) {
        try (channel) {
            if (backing.isPresent()) {
                backing.get().close();
            }
        } catch (IOException e) {
            // they were only looked at
        } finally {
            holes.close();
        }
    }
}
