# Stand-in of the entry point of nginxinc/nginx-unprivileged: fills the templates in, and becomes nginx.
set -eu
# Docker names one server; podman names that of each network and this machine's, which knows no container.
NGINX_LOCAL_RESOLVERS=$(sed -n 's/^nameserver //p' /etc/resolv.conf | head -n 1)
export NGINX_LOCAL_RESOLVERS
for template in /etc/nginx/templates/*.template; do
    envsubst "\$NGINX_LOCAL_RESOLVERS" <"$template" >"${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}/$(basename "$template" .template)"
done
exec nginx -e stderr -g "daemon off;"
