package gunyah.scenario;

import gunyah.config.BadInput;
import gunyah.config.Engine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The value of an option {@code --engine}: one that {@link Engine#of} knows, or the option is refused by its name. */
final class EngineName implements ITypeConverter<String> {
    @Override
    public String convert(String name) {
        try {
            Engine.of(name);
        } catch (BadInput e) {
            throw new TypeConversionException(e.getMessage());
        }
        return name;
    }
}
