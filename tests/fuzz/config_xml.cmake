og_fuzz(config_xml SOURCES config_xml.c LINK og_config)
