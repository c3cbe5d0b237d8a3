package org.maniple.architecture;

import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.constant.ModuleDesc;
import java.util.Set;
import java.util.stream.Collectors;

/** The annotations of a {@code module-info.class}, which neither ArchUnit nor a module descriptor shows. */
final class ModuleAnnotations {

    private ModuleAnnotations() {}

    static Set<String> of(byte[] moduleInfo) {
        return ClassFile.of().parse(moduleInfo).findAttribute(Attributes.runtimeVisibleAnnotations()).stream()
                .flatMap(attribute -> attribute.annotations().stream())
                .map(annotation -> annotation.classSymbol().packageName() + "." + annotation.classSymbol().displayName())
                .collect(Collectors.toSet());
    }

    static byte[] bareModuleInfo(String name) {
        return ClassFile.of().buildModule(ModuleAttribute.of(ModuleDesc.of(name), module -> {}));
    }
}
